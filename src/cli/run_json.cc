#include "cli/run_json.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/projection_manifest.h"

namespace cli {

namespace json = boost::json;

namespace {
constexpr int kContractVersion = 1;
}

json::value time_json(std::int64_t wall_ms) {
  if (!wall_ms) return nullptr;
  return json::value(base::iso_utc_ms(wall_ms));
}

json::value text_json(std::string_view text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

std::string cost_words(const run::Usage& usage) { return usage.cost_micros ? ", " + base::dollars(usage.cost_micros) : ""; }

json::object usage_json(const run::Usage& usage) {
  return {{"input_tokens", usage.input_tokens},
          {"output_tokens", usage.output_tokens},
          {"total_tokens", usage.total()},
          {"reasoning_tokens", usage.reasoning_tokens},
          {"cache_read_tokens", usage.cache_read_tokens},
          {"cache_write_tokens", usage.cache_write_tokens},
          {"cost_usd", usage.cost_micros ? json::value(static_cast<double>(usage.cost_micros) / 1e6) : json::value()}};
}

json::object listed_json(const store::Run& run, std::string_view note) {
  const auto spec = run::decode_spec(run.spec);
  return {{"run_id", run.run_id},
          {"status", run::name(run.status)},
          {"reason", text_json(run.reason)},
          {"note", text_json(note)},
          {"kind", run.kind},
          {"agent", run.component_name},
          {"model", spec ? json::value(engine::model_spec_of(*spec)) : json::value()},
          {"session_id", run.session_id},
          {"created_at", time_json(run.created_ms)},
          {"updated_at", time_json(run.updated_ms)},
          {"ended_at", time_json(run.ended_ms)},
          {"event_count", run.event_count}};
}

json::object children_json(const store::ChildCounts& children) {
  return {{"pending", children.pending},
          {"running", children.running},
          {"completed", children.completed},
          {"failed", children.failed}};
}

std::string answer_json(json::object data) {
  return base::to_text(json::object{{"ok", true}, {"contract_version", kContractVersion}, {"data", std::move(data)}});
}

std::string error_json(std::string_view kind, std::string_view message) {
  return base::to_text(json::object{
      {"ok", false}, {"contract_version", kContractVersion}, {"error", json::object{{"kind", kind}, {"message", message}}}});
}

std::string_view error_kind(base::Errc code) {
  using base::Errc;
  if (code == Errc::not_found) return "not_found";
  // An ambiguous id is to be written longer, as a wrong one is to be written otherwise.
  if (code == Errc::ambiguous || code == Errc::invalid_argument || code == Errc::unsupported) return "invalid_input";
  if (code == Errc::conflict || code == Errc::already_finished || code == Errc::busy) return "conflict";
  return code == Errc::unavailable ? "unavailable" : "internal";
}

std::function<int(const Failure&)> report_for(bool json) {
  return [json](const Failure& failure) {
    if (json) put_line(error_json(failure.code == kUnusable ? "unavailable" : "invalid_input", failure.message));
    return json ? failure.code : complain(failure);
  };
}

json::object result_json(const store::Run& run, const run::AgentState& state) {
  return {{"run_id", run.run_id},
          {"branch_id", run.session_id},
          {"status", run::name(run.status)},
          {"reason", text_json(run.reason)},
          {"content", state.content},
          {"usage", usage_json(state.usage)}};
}

}  // namespace cli
