#include "run/flow_event.h"

#include <utility>

#include "base/json.h"

namespace run {

namespace json = boost::json;

namespace {

constexpr std::string_view kOutcomes[] = {"done", "failed", "skipped", "cut"};

OpOutcome parse_outcome(std::string_view word) {
  for (std::size_t i = 0; i < std::size(kOutcomes); ++i)
    if (word == kOutcomes[i]) return static_cast<OpOutcome>(i);
  return OpOutcome::failed;  // what a newer program calls otherwise was not done
}

void add_text(json::object& o, std::string_view key, const std::string& text) {
  if (!text.empty()) o[key] = text;
}

}  // namespace

std::string plan_op(std::int64_t round) {
  return round <= 1 ? std::string(kPlanOp) : std::string(kPlanOp) + std::to_string(round);
}

bool is_plan_op(std::string_view op) { return op.starts_with(kPlanOp); }

std::string_view name(OpOutcome outcome) { return kOutcomes[static_cast<std::size_t>(outcome)]; }

json::object fields_of(const FlowPlanned& event) {
  json::object o{{"round", event.round}, {"plan", to_json(event.plan)}};
  if (event.truncated_to) o["truncated_to"] = event.truncated_to;
  if (!event.left_out.empty()) o["left_out"] = json::array(event.left_out.begin(), event.left_out.end());
  return o;
}

json::object fields_of(const OpStarted& event) {
  return {{"op", event.op}, {"attempt", event.attempt}, {"run_id", event.run_id}};
}

json::object fields_of(const OpEnded& event) {
  json::object o{{"op", event.op}, {"attempt", event.attempt}};
  add_text(o, "run_id", event.run_id);
  o["outcome"] = name(event.outcome);
  add_text(o, "content", event.content);
  add_text(o, "cause", event.cause);
  add_text(o, "error", event.error);
  o["duration_ms"] = event.duration_ms;
  if (event.usage != Usage()) {
    json::object usage{{"input", event.usage.input_tokens}, {"output", event.usage.output_tokens}};
    if (event.usage.cost_micros) usage["cost_micros"] = event.usage.cost_micros;
    o["usage"] = std::move(usage);
  }
  add_text(o, "digest", event.digest);
  if (event.verdict)
    o["verdict"] = {{"should_continue", event.verdict->should_continue},
                    {"reason", event.verdict->reason},
                    {"next_steps", event.verdict->next_steps}};
  if (event.retry_at_ms) o["retry_at_ms"] = event.retry_at_ms;
  if (event.carried) o["carried"] = true;
  return o;
}

FlowPlanned read_flow_planned(const json::object& fields) {
  FlowPlanned event{.round = base::int_or_zero(fields, "round"), .plan = {}, .truncated_to = base::int_or_zero(fields, "truncated_to")};
  if (const auto* plan = base::object_field(fields, "plan"))
    if (auto read = plan_of(*plan)) event.plan = std::move(*read);
  if (const auto* list = base::array_field(fields, "left_out"))
    for (const auto& line : *list)
      if (line.is_string()) event.left_out.emplace_back(line.get_string());
  return event;
}

OpStarted read_op_started(const json::object& fields) {
  return {base::text_or_empty(fields, "op"), base::int_or_zero(fields, "attempt"), base::text_or_empty(fields, "run_id")};
}

OpEnded read_op_ended(const json::object& fields) {
  OpEnded event{.op = base::text_or_empty(fields, "op"),
                .attempt = base::int_or_zero(fields, "attempt"),
                .run_id = base::text_or_empty(fields, "run_id"),
                .outcome = parse_outcome(base::text_or_empty(fields, "outcome")),
                .content = base::text_or_empty(fields, "content"),
                .cause = base::text_or_empty(fields, "cause"),
                .error = base::text_or_empty(fields, "error"),
                .duration_ms = base::int_or_zero(fields, "duration_ms"),
                .usage = {},
                .digest = base::text_or_empty(fields, "digest"),
                .verdict = {},
                .retry_at_ms = base::int_or_zero(fields, "retry_at_ms"),
                .carried = base::bool_field(fields, "carried").value_or(false)};
  if (const auto* usage = base::object_field(fields, "usage"))
    event.usage = {.input_tokens = base::int_or_zero(*usage, "input"), .output_tokens = base::int_or_zero(*usage, "output"), .cost_micros = base::int_or_zero(*usage, "cost_micros")};
  if (const auto* verdict = base::object_field(fields, "verdict"))
    event.verdict = Verdict{base::bool_field(*verdict, "should_continue").value_or(false), base::text_or_empty(*verdict, "reason"),
                            base::text_or_empty(*verdict, "next_steps")};
  return event;
}

}  // namespace run
