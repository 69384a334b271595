#pragma once
// For tests of flows: a flow without a world, whose operations answer what a test says.
#include <gtest/gtest.h>

#include <utility>

#include "run/flow.h"
#include "run/flow_log.h"
#include "run/flow_prompts.h"

namespace run {

using Ops = std::vector<std::string>;

// Models that can all be called, but those of "no/".
struct AnyModel final : FlowTraits {
  base::Result<> check(const std::string& model) const override {
    if (model.starts_with("no/")) return base::fail(base::Errc::invalid_argument, "unknown provider 'no'");
    return {};
  }
  std::vector<std::string> missing_files() const override { return missing; }
  std::vector<std::string> missing;
};

inline constexpr std::string_view kChain = R"({"agents": [{"id": "r1", "role": "researcher"}, {"id": "i1", "role": "implementer"}, {"id": "rv1", "role": "reviewer"}],
 "operations": [{"id": "o1", "agent_id": "r1", "instruction": "one"}, {"id": "o2", "agent_id": "i1", "instruction": "two", "depends_on": ["o1"]},
                {"id": "o3", "agent_id": "rv1", "instruction": "three", "depends_on": ["o2"]}]})";

// A flow whose operations answer what a test says, on a clock of its own. Every event goes through its stored line.
class World {
 public:
  explicit World(std::string_view plan = kChain) : plan_(plan) {
    spec.input = "the task";
    spec.provider = "demo", spec.model = "fast";
    spec.flow.emplace();
    spec.flow->directory = "/save";
    state = initial_flow(spec, 0);
  }

  // Until nothing is due, or an operation waits for its end.
  std::vector<std::string> go() {
    std::vector<std::string> begun;
    bool look = false;
    for (int steps = 0; steps < 10'000; ++steps) {
      FlowSituation situation{.now_ms = now, .cancel_requested = cancelled, .cancel_reason = "cancelled", .branch_seed = "seed"};
      situation.ended = std::exchange(ended, {});
      if (std::exchange(look, false)) situation.unread = unread, ++looks;
      auto action = decide(state, spec, models, situation);
      if (auto* append = std::get_if<AppendEvents>(&action)) {
        for (auto& payload : append->events) add(std::move(payload));
        if (append->status) reason = append->reason;
      } else if (auto* start = std::get_if<StartOps>(&action)) {
        for (const auto& one : start->ops) {
          begun.push_back(one.op);
          add(OpStarted{one.op, one.attempt, "run-" + one.op + "-" + std::to_string(one.attempt)});
        }
      } else if (std::holds_alternative<LookAtMail>(action)) {
        look = true;
      } else if (std::holds_alternative<EndOps>(action)) {
        ending = true;
        break;
      } else if (const auto* await = std::get_if<AwaitOps>(&action); await && await->until_ms > now) {
        now = await->until_ms;
      } else {
        break;
      }
    }
    return begun;
  }
  void end(const std::string& op, std::string content = "done", std::int64_t after_ms = 1'000) {
    now += after_ms;
    ended[op] = {.status = Status::completed, .reason = std::string(kReasonCompleted), .cause = {}, .error = {}, .content = std::move(content), .usage = {.input_tokens = 10, .output_tokens = 5}};
  }
  void fail(const std::string& op, std::string cause = "ProviderFailed", std::string error = "it broke") {
    now += 1'000;
    ended[op] = {.status = Status::error, .reason = {}, .cause = std::move(cause), .error = std::move(error), .content = {}};
  }
  void plan() {
    go();
    end("@plan", std::string(plan_));
  }
  std::string phase(std::string_view op) const {
    static constexpr std::string_view kNames[] = {"waiting", "running", "done", "failed", "skipped", "cut"};
    const auto* known = find_op(state, op);
    return std::string(known ? kNames[static_cast<std::size_t>(known->phase)] : "unknown");
  }

  Spec spec;
  FlowState state;
  AnyModel models;
  std::map<std::string, ChildView, std::less<>> ended;
  UnreadMail unread;  // as the store would say
  int looks = 0;      // how often it was asked
  std::int64_t now = 0;
  bool cancelled = false, ending = false;
  std::string reason, log;
  std::vector<Event> events;

 private:
  void add(Payload payload) {
    const auto line = encode({now, std::move(payload)});
    const auto event = decode(line);
    ASSERT_TRUE(event) << line;
    EXPECT_EQ(encode(*event), line);
    apply(state, *event);
    append_flow_lines(log, state, spec, *event);
    events.push_back(*event);
  }
  const std::string plan_;
};

}  // namespace run
