#pragma once
// For tests of the agent machine: a run as an executor sees it.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "run/agent.h"

namespace run {

struct NothingRepeatable final : ToolTraits {
  Recall recall(const ToolCall& call) const override {
    return call.name == "Read" ? Recall::repeat : call.name == "Attach" ? Recall::reattach : Recall::never;
  }
  std::string granted_name(std::string_view any_name) const override { return std::string(any_name); }
};
inline const NothingRepeatable kTools;

// A run as an executor sees it: a log that grows by what the machine asks for and by what "happens".
class Script {
 public:
  explicit Script(Spec s = {}) : spec(std::move(s)) {
    spec.input = "hello";
    spec.model = "m";
    spec.provider = "p";
    state = initial_state(spec, 1000);
  }
  void happens(Payload payload) {
    log.push_back({now, std::move(payload)});
    apply(state, log.back());
  }
  Action decide_now() {
    return decide(state, spec, kTools,
                  {.now_ms = now,
                   .cancel_requested = cancel,
                   .cancel_reason = "cancelled",
                   .taken_over = taken_over,
                   .died = taken_over,
                   .crashes = crashes,
                   .notices = notices});
  }
  // Appends what the machine wants appended until it wants something done, or nothing.
  Action settle() {
    for (int i = 0; i < 100; ++i) {
      auto action = decide_now();
      auto* events = std::get_if<AppendEvents>(&action);
      if (!events) return action;
      for (auto& payload : events->events) {
        if (begins_step(payload)) taken_over = false;
        happens(std::move(payload));
      }
      told.insert(told.end(), events->tells.begin(), events->tells.end());
      if (!events->tells.empty()) notices.clear();
      ended_with = events->status;
      reason = events->reason;
    }
    ADD_FAILURE() << "the machine never settles";
    return Idle{};
  }
  void crash() {
    state = initial_state(spec, 1000);
    for (const auto& event : log) apply(state, event);
    taken_over = true;
  }
  template <class T>
  std::size_t count() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(log, [](const Event& e) { return std::holds_alternative<T>(e.payload); }));
  }

  Spec spec;
  AgentState state;
  std::vector<Event> log;
  std::int64_t now = 1000;
  bool cancel = false, taken_over = false;
  std::int64_t crashes = 0;
  std::vector<std::pair<std::int64_t, Notice>> notices;
  std::vector<std::int64_t> told;
  std::optional<Status> ended_with;
  std::string reason;
};

inline ToolCall call(std::string id, std::string name = "Bash") {
  return {.id = std::move(id), .name = std::move(name), .arguments = "{}"};
}

}  // namespace run
