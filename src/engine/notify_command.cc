#include "engine/notify_command.h"

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/tasks.h"
#include "run/flow_notify.h"

namespace engine {

namespace {
constexpr std::int64_t kNotifyMs = 60'000;
}

boost::json::value text_or_null(const std::string& text) { return text.empty() ? boost::json::value() : boost::json::value(text); }

LaunchRequest notify_request(const store::Run& run, const run::Spec& spec, std::string directory, std::string command, const std::string& key) {
  LaunchRequest request;
  request.spec.call = run::ToolCall{std::string(kTaskCallId), "Bash", base::to_text(boost::json::object{{"command", std::move(command)}})};
  request.spec.tools = {{.name = "Bash"}};
  request.spec.settings = spec.settings;
  request.spec.work_directory = std::move(directory);
  request.spec.limits.timeout_ms = kNotifyMs;
  request.kind = store::kKindTool;
  request.component_id = request.component_name = run::kNotifyComponent;
  request.session_id = run.session_id;
  request.user_id = run.user_id;
  request.parent_run_id = run.run_id;
  request.origin = run.origin;
  request.awaited = true;  // nobody who works in the session need hear of it
  request.launch_key = "notify\x1f" + run.run_id + (key.empty() ? "" : "\x1f" + key);
  request.request_digest = base::sha256_hex(run.run_id);
  return request;
}

aio::Task<> notify(Executor& executor, LaunchRequest request) {
  const auto run_id = request.parent_run_id;
  try {
    const auto launched = co_await executor.launch(std::move(request));
    if (launched.known == store::Known::no_room) base::log::warning("what became of a run is not told: the home is full", {{"run", run_id}});
  } catch (const base::Broken& error) {
    base::log::error("what became of a run is not told", {{"run", run_id}, {"reason", error.what()}});
  }
}

}  // namespace engine
