#include "engine/agents.h"

#include "base/limits.h"
#include "base/text.h"
#include "run/team.h"

namespace engine {

namespace limits = base::limits;

namespace {

constexpr std::int64_t kCancelMs = 15'000;  // what the end of a child may take; its cancel holds at once

// A conversation of its own, named for whoever looks at the parent: a run that calls Agent is one call and has one child.
std::string session_of(const std::string& parent_run_id) { return parent_run_id + ".agent"; }

tool::AgentView view_of(const store::Run& run) {
  return {.run_id = run.run_id,
          .agent = run.component_id,
          .status = run.status,
          .content = {},
          .error = {},
          .started_ms = run.created_ms,
          .ended_ms = run.ended_ms};
}

aio::Task<std::vector<store::Run>> live_children(Deps& deps, std::string run_id) {
  store::RunFilter filter;
  filter.session_id = session_of(run_id);
  filter.live_only = true;
  filter.limit = limits::kPageLimitMax;
  co_return (co_await deps.store.list_runs(filter)).items;
}

}  // namespace

aio::Task<base::Result<tool::AgentView>> Agents::launch(const tool::Context& caller, std::string specialist, std::string prompt) {
  const auto* member = run::find_member(*caller.spec, specialist);
  if (!member) co_return base::fail(base::Errc::not_found, "there is no specialist '" + specialist + "'");
  if (caller.spec->depth >= run::kTeamDepthMax)
    co_return base::fail(base::Errc::unsupported, "agents that ask agents are nested deeper than " + std::to_string(run::kTeamDepthMax));
  auto spec = run::decode_spec(member->spec);
  if (!spec) co_return std::unexpected(spec.error());
  const auto parent = co_await deps_->store.find_run(caller.run_id);
  if (!parent) co_return std::unexpected(parent.error());
  LaunchRequest request;
  request.spec = *std::move(spec);
  request.spec.input = std::move(prompt);
  request.spec.work_directory = caller.work_directory;
  request.spec.roots = caller.roots;
  request.spec.team = caller.spec->team;
  request.spec.may_ask = member->may_ask;
  request.spec.depth = caller.spec->depth + 1;
  request.component_id = member->id;
  request.component_name = member->id;
  request.user_id = parent->user_id;
  request.parent_run_id = parent->run_id;
  request.origin = parent->origin;
  request.launch_key = "agent\x1f" + caller.run_id + "\x1f" + caller.call_id;
  request.request_digest = base::sha256_hex(member->id + '\0' + request.spec.input);
  request.session_id = session_of(parent->run_id);
  request.session_name = member->id + " for " + parent->run_id;
  const auto launched = co_await executor_->launch(std::move(request));
  if (launched.known == store::Known::no_room) co_return base::fail(base::Errc::busy, "too many runs wait for a place");
  co_return view_of(launched.run);
}

aio::Task<tool::AgentView> Agents::wait(std::string run_id) {
  std::optional<LiveLogs::Reader> reader;  // makes this process hear of what others append
  for (;;) {
    const auto seen = deps_->logs.ends();
    const auto run = co_await deps_->store.find_run(run_id);
    if (!run) throw base::Broken("the run of a specialist is gone: " + run.error().message);
    if (!reader) reader.emplace(deps_->logs, run->number);
    if (run::is_terminal(run->status)) {
      auto view = view_of(*run);
      const auto last = run::decode(co_await deps_->store.last_event(run->number));
      if (last)
        if (const auto* completed = std::get_if<run::RunCompleted>(&last->payload)) view.content = completed->content;
      if (last)
        if (const auto* error = std::get_if<run::RunError>(&last->payload)) view.error = error->message;
      co_return view;
    }
    if (deps_->logs.ends() != seen) continue;
    co_await aio::wait_for(deps_->time, deps_->logs.ended(), std::chrono::milliseconds(limits::kTailPollMs));
  }
}

aio::Task<> Agents::end_children(std::string run_id) {
  for (const auto& child : co_await live_children(*deps_, run_id)) co_await executor_->cancel(child.run_id);
  const auto until = deps_->time.steady_ms() + kCancelMs;
  while (deps_->time.steady_ms() < until && !(co_await live_children(*deps_, run_id)).empty())
    co_await aio::wait_for(deps_->time, deps_->logs.ended(), std::chrono::milliseconds(limits::kOrphanScanMs));
}

}  // namespace engine
