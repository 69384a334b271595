#include "engine/session_end_hooks.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <optional>
#include <ranges>
#include <set>

#include "base/log.h"
#include "engine/history.h"
#include "engine/hooks.h"

namespace engine {

namespace {

constexpr std::int64_t kLookMs = 50;     // whether another removal is done with them
constexpr std::int64_t kNotingMs = 500;  // of the time that is left, for what an action leaves behind

void report(const std::string& session, const std::string& what) {
  base::log::error("the hooks of a session's end failed", {{"session", session}, {"reason", what}});
}

// The session's last turn that has begun; one that never did has no part in it.
aio::Task<std::optional<store::Run>> last_turn(Deps& deps, std::string session_id) {
  const auto session = co_await deps.store.find_session(std::move(session_id));
  if (!session) co_return std::nullopt;
  const auto turns = co_await deps.store.turns(session->number);
  for (const auto& turn : std::views::reverse(turns)) {
    if (turn.waits || !turn.event_count) continue;
    auto run = co_await deps.store.find_run(turn.run_id);
    if (run) co_return std::move(*run);
  }
  co_return std::nullopt;
}

aio::Task<> fire(Deps& deps, Hooks& hooks, RunLog& log, const store::Run& run, const run::Spec& spec) {
  co_await hooks.load();
  std::shared_ptr<const tool::Toolbox> tools(std::shared_ptr<void>(), &deps.tools);  // owned by the process
  if (!spec.mcp_servers.empty() && deps.tools_of)
    if (auto found = co_await deps.tools_of(run, spec); found.toolbox) tools = std::move(found.toolbox);
  HookOccasion occasion{.on = run::HookEvent::session_end};
  co_await hooks.fire(std::move(occasion), std::move(tools));
  co_await hooks.settle();
  co_await log.flush();
}

// What their commands left in the background ends with them, as it does with a turn. A turn that lives ends its own.
aio::Task<> end_commands(Deps& deps, const store::Run& run, const run::Spec& spec) {
  if (!run::is_terminal(run.status)) co_return;
  std::set<tool::Tool*> tools;
  for (const auto& granted : spec.tools) tools.insert(deps.tools.find(granted.name));
  for (const auto& name : spec.hook_tools) tools.insert(deps.tools.find(name));
  tools.erase(nullptr);
  for (auto* tool : tools) co_await tool->end_run(run.run_id, run.epoch);
}

aio::Task<> fire_for(Deps& deps, store::Run run, run::Spec spec, std::int64_t until_ms) {
  using namespace boost::asio::experimental::awaitable_operators;
  const auto left = std::max<std::int64_t>(1, until_ms - deps.time.steady_ms());
  for (auto& hook : spec.hooks) hook.timeout_ms = std::min(hook.timeout_ms, std::max<std::int64_t>(1, left - kNotingMs));
  auto state = co_await fold_run(deps.store, run, spec, run.event_count);
  aio::TaskGroup appends(deps.io, report);
  RunLog log(deps.io, deps.time, deps.store, deps.counters, appends, run, state.next_index,
             [&state](const run::Event& event) { run::apply(state, event); });
  Hooks hooks(deps, run, spec, state, log);
  std::string failed;
  try {
    auto firing = fire(deps, hooks, log, run, spec) || deps.time.sleep(std::chrono::milliseconds(left));
    co_await std::move(firing);
  } catch (const std::exception& error) {
    failed = error.what();
  }
  co_await hooks.stop(false);
  appends.cancel();
  co_await appends.join();
  if (!failed.empty()) report(run.session_id, failed);
  co_await end_commands(deps, run, spec);
}

aio::Task<> fire_guarded(Deps& deps, std::string session_id, std::int64_t until_ms) {
  try {
    auto run = co_await last_turn(deps, session_id);
    if (!run) co_return;
    auto spec = run::decode_spec(run->spec);
    if (!spec) co_return;
    std::erase_if(spec->hooks, [](const run::Hook& hook) { return hook.on != run::HookEvent::session_end; });
    if (spec->hooks.empty()) co_return;
    co_await fire_for(deps, *std::move(run), *std::move(spec), until_ms);
  } catch (const std::exception& error) {
    report(session_id, error.what());
  }
}

}  // namespace

aio::Task<> fire_session_end(Deps& deps, std::string session_id, std::int64_t until_ms) {
  // Two removals at once are one end.
  while (deps.sessions_ending.contains(session_id)) {
    if (deps.time.steady_ms() >= until_ms) co_return;
    co_await deps.time.sleep(std::chrono::milliseconds(kLookMs));
  }
  struct Ending {
    std::set<std::string>& all;
    const std::string& id;
    Ending(std::set<std::string>& sessions, const std::string& session) : all(sessions), id(session) { all.insert(id); }
    ~Ending() { all.erase(id); }
  } const ending(deps.sessions_ending, session_id);
  // A stop of the server does not cut it: what its groups hold must be joined, and its time is bounded.
  const boost::asio::cancellation_slot none;
  auto firing = fire_guarded(deps, session_id, until_ms);
  co_await boost::asio::co_spawn(deps.io, std::move(firing),
                                 boost::asio::bind_cancellation_slot(none, boost::asio::use_awaitable));
}

}  // namespace engine
