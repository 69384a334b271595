#include "engine/flow_notify.h"

#include "base/json.h"
#include "base/log.h"
#include "engine/notify_command.h"
#include "engine/projection_manifest.h"
#include "run/flow_notify.h"

namespace engine {

namespace json = boost::json;

namespace {

json::object payload_of(const store::Run& flow, const run::FlowSpec& spec, const Outcome& outcome) {
  return {{"run_id", flow.run_id},
          {"kind", flow.kind},
          {"status", outcome.word},
          {"reason", text_or_null(flow.reason)},
          {"exit_code", outcome.exit_code ? json::value(*outcome.exit_code) : json::value()},
          {"invocation_id", text_or_null(spec.invocation)},
          {"project", text_or_null(spec.project)},
          {"branch_id", flow.session_id},
          {"started_at", static_cast<double>(flow.created_ms) / 1000.0},
          {"ended_at", static_cast<double>(flow.ended_ms) / 1000.0},
          {"artifact_dir", spec.directory}};
}

aio::Task<> launch(Deps& deps, Executor& executor, std::string flow_run_id) {
  const auto flow = co_await deps.store.find_run(std::move(flow_run_id));
  if (!flow || !run::is_terminal(flow->status)) co_return;
  const auto spec = run::decode_spec(flow->spec);
  if (!spec || !spec->flow || spec->flow->notify.empty() || spec->flow->dry_run) co_return;
  const auto outcome = outcome_of(flow->status, flow->reason);
  auto command = run::filled_command(spec->flow->notify, {{"payload", base::to_text(payload_of(*flow, *spec->flow, outcome))},
                                                          {"status", std::string(outcome.word)},
                                                          {"invocation_id", spec->flow->invocation}});
  const auto directory = spec->work_directory.empty() ? spec->flow->directory : spec->work_directory;
  co_await notify(executor, notify_request(*flow, *spec, directory, std::move(command), ""));
}

}  // namespace

// The flow has ended; what goes wrong here changes nothing of it.
aio::Task<> notify_end(Deps& deps, Executor& executor, std::string flow_run_id) {
  try {
    co_await launch(deps, executor, flow_run_id);
  } catch (const base::Broken& error) {
    base::log::error("the end of a flow is not told", {{"run", flow_run_id}, {"reason", error.what()}});
  }
}

}  // namespace engine
