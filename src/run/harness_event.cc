#include "run/harness_event.h"

#include "base/json.h"

namespace run {

namespace json = boost::json;

namespace {

constexpr std::string_view kOutcomes[] = {"done", "failed", "again", "limited", "denied", "interrupted"};

TurnOutcome parse_outcome(std::string_view word) {
  for (std::size_t i = 0; i < std::size(kOutcomes); ++i)
    if (word == kOutcomes[i]) return static_cast<TurnOutcome>(i);
  return TurnOutcome::failed;  // what a newer program calls otherwise was not done
}

void put_text(json::object& o, std::string_view key, const std::string& value) {
  if (!value.empty()) o[key] = value;
}
void put_number(json::object& o, std::string_view key, std::int64_t value) {
  if (value) o[key] = value;
}

json::object usage_json(const Usage& usage) {
  json::object o{{"input", usage.input_tokens}, {"output", usage.output_tokens}};
  put_number(o, "reasoning", usage.reasoning_tokens);
  put_number(o, "cache_read", usage.cache_read_tokens);
  put_number(o, "cache_write", usage.cache_write_tokens);
  return o;
}

Usage read_usage(const json::object& o, std::string_view key = "usage") {
  const auto* u = base::object_field(o, key);
  if (!u) return {};
  return {.input_tokens = base::int_or_zero(*u, "input"),
          .output_tokens = base::int_or_zero(*u, "output"),
          .reasoning_tokens = base::int_or_zero(*u, "reasoning"),
          .cache_read_tokens = base::int_or_zero(*u, "cache_read"),
          .cache_write_tokens = base::int_or_zero(*u, "cache_write")};
}

}  // namespace

std::string_view name(TurnOutcome outcome) { return kOutcomes[static_cast<std::size_t>(outcome)]; }

json::object fields_of(const HarnessStarted& event) {
  json::object o{{"process", event.process}};
  put_text(o, "harness_session", event.session_id);
  if (event.resumes) o["resumes"] = true;
  put_text(o, "prompt", event.prompt);
  put_text(o, "message_id", event.message_id);
  put_text(o, "why", event.why);
  return o;
}

json::object fields_of(const HarnessSession& event) {
  json::object o{{"harness_session", event.session_id}};
  put_text(o, "model", event.model);
  put_text(o, "version", event.version);
  return o;
}

json::object fields_of(const HarnessHeard& event) { return {{"message_id", event.message_id}}; }

json::object fields_of(const HarnessTurn& event) {
  json::object o{{"outcome", name(event.outcome)}};
  put_text(o, "text", event.text);
  put_text(o, "error", event.error);
  if (event.usage != Usage()) o["usage"] = usage_json(event.usage);
  put_number(o, "cost_micros", event.cost_micros);
  put_number(o, "until_ms", event.until_ms);
  return o;
}

json::object fields_of(const HarnessEnded& event) {
  json::object o{{"process", event.process}};
  if (event.exit_code) o["exit_code"] = *event.exit_code;
  put_number(o, "signal", event.signal);
  put_text(o, "why", event.why);
  put_text(o, "words", event.words);
  if (event.used != Usage()) o["used_about"] = usage_json(event.used);
  return o;
}

json::object fields_of(const HarnessWaits& event) { return {{"why", event.why}, {"until_ms", event.until_ms}}; }

HarnessStarted read_harness_started(const json::object& o) {
  return {.process = base::int_or_zero(o, "process"),
          .session_id = base::text_or_empty(o, "harness_session"),
          .resumes = base::bool_field(o, "resumes").value_or(false),
          .prompt = base::text_or_empty(o, "prompt"),
          .message_id = base::text_or_empty(o, "message_id"),
          .why = base::text_or_empty(o, "why")};
}

HarnessSession read_harness_session(const json::object& o) {
  return {.session_id = base::text_or_empty(o, "harness_session"), .model = base::text_or_empty(o, "model"), .version = base::text_or_empty(o, "version")};
}

HarnessHeard read_harness_heard(const json::object& o) { return {base::text_or_empty(o, "message_id")}; }

HarnessTurn read_harness_turn(const json::object& o) {
  return {.outcome = parse_outcome(base::text_or_empty(o, "outcome")),
          .text = base::text_or_empty(o, "text"),
          .error = base::text_or_empty(o, "error"),
          .usage = read_usage(o),
          .cost_micros = base::int_or_zero(o, "cost_micros"),
          .until_ms = base::int_or_zero(o, "until_ms")};
}

HarnessEnded read_harness_ended(const json::object& o) {
  return {.process = base::int_or_zero(o, "process"),
          .exit_code = base::int_field(o, "exit_code"),
          .signal = base::int_or_zero(o, "signal"),
          .why = base::text_or_empty(o, "why"),
          .words = base::text_or_empty(o, "words"),
          .used = read_usage(o, "used_about")};
}

HarnessWaits read_harness_waits(const json::object& o) { return {base::text_or_empty(o, "why"), base::int_or_zero(o, "until_ms")}; }

}  // namespace run
