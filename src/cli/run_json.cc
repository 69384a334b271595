#include "cli/run_json.h"

#include "base/clock.h"
#include "base/json.h"
#include "engine/projection_manifest.h"

namespace cli {

namespace json = boost::json;

json::value time_json(std::int64_t wall_ms) {
  if (!wall_ms) return nullptr;
  return json::value(base::iso_utc_ms(wall_ms));
}

json::value text_json(std::string_view text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

json::object usage_json(const run::Usage& usage) {
  return {{"input_tokens", usage.input_tokens},
          {"output_tokens", usage.output_tokens},
          {"total_tokens", usage.total()},
          {"reasoning_tokens", usage.reasoning_tokens},
          {"cache_read_tokens", usage.cache_read_tokens},
          {"cache_write_tokens", usage.cache_write_tokens}};
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

json::object result_json(const store::Run& run, const run::AgentState& state) {
  return {{"run_id", run.run_id},
          {"branch_id", run.session_id},
          {"status", run::name(run.status)},
          {"reason", text_json(run.reason)},
          {"content", state.content},
          {"usage", usage_json(state.usage)}};
}

}  // namespace cli
