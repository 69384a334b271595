#include "engine/harness_notify.h"

#include "base/json.h"
#include "base/text.h"
#include "engine/notify_command.h"
#include "run/flow_notify.h"

namespace engine {

namespace json = boost::json;

namespace {

constexpr std::string_view kLimit = "limit";  // what a usage limit's wait begins with; to be tried again soon is nobody's concern

std::string key_of(std::string_view status, const run::HarnessState& state) { return std::string(status) + " " + std::to_string(state.next_index); }

}  // namespace

std::optional<Occasion> occasion_of(const run::AppendEvents& events, const run::HarnessState& state) {
  if (events.status == run::Status::paused) return Occasion{"waiting", "approval", 0, key_of("waiting", state)};
  if (events.status && run::is_terminal(*events.status)) {
    Occasion end{events.status == run::Status::error ? "failed" : base::to_lower(run::name(*events.status)), {}, 0, "end"};
    for (const auto& payload : events.events)
      if (const auto* error = std::get_if<run::RunError>(&payload)) end.why = error->message;
    return end;
  }
  for (const auto& payload : events.events)
    if (const auto* waits = std::get_if<run::HarnessWaits>(&payload); waits && waits->why.starts_with(kLimit))
      return Occasion{"waiting", waits->why, waits->until_ms, key_of("waiting", state)};
  return std::nullopt;
}

aio::Task<> notify_of(Executor& executor, const store::Run& run, const run::Spec& spec, const Occasion& occasion) {
  const auto& harness = *spec.harness;
  const json::object payload{{"run_id", run.run_id},
                             {"task", text_or_null(harness.task)},
                             {"harness", harness.harness},
                             {"status", occasion.status},
                             {"why", text_or_null(occasion.why)},
                             {"until", occasion.until_ms ? json::value(base::iso_utc(occasion.until_ms)) : json::value()},
                             {"work_dir", spec.work_directory}};
  auto command = run::filled_command(harness.notify, {{"payload", base::to_text(payload)}, {"status", occasion.status}, {"task", harness.task}, {"run_id", run.run_id}});
  // Not where the agent works: that may be gone when it has ended.
  co_await notify(executor, notify_request(run, spec, "/", std::move(command), occasion.key));
}

}  // namespace engine
