#include "engine/session_end.h"

#include <algorithm>
#include <list>

#include "base/ids.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/session_end_hooks.h"

namespace engine {

namespace limits = base::limits;

namespace {

constexpr std::string_view kAgentTool = "agent_spawn.agent";  // a call that gives work to another agent, which ends with it
constexpr int kDetachedDigits = 24;

bool is_task(const store::Run& run) { return run.kind == store::kKindTool; }

// The runs as they are when all have ended or the waiting is over; one that was removed has ended.
aio::Task<std::vector<store::Run>> wait_for_ends(Deps& deps, std::vector<store::Run> runs, std::int64_t until_ms,
                                                 GivenUp given_up) {
  // Readers make this process hear of what others append; they read nothing themselves.
  std::list<LiveLogs::Reader> readers;
  for (const auto& run : runs) readers.emplace_back(deps.logs, run.number);
  for (;;) {
    const auto seen = deps.logs.ends();
    bool ended = true;
    for (auto& run : runs) {
      if (run::is_terminal(run.status)) continue;
      auto now = co_await deps.store.find_run(run.run_id);
      if (now)
        run = std::move(*now);
      else
        run.status = run::Status::cancelled;
      ended = ended && run::is_terminal(run.status);
    }
    const auto left = until_ms - deps.time.steady_ms();
    if (ended || left <= 0 || given_up()) co_return runs;
    if (deps.logs.ends() != seen) continue;  // one has ended while this looked
    co_await aio::wait_for(deps.time, deps.logs.ended(), std::chrono::milliseconds(std::min(left, limits::kTailPollMs)));
  }
}

// What each of the live runs was before it was cancelled.
enum class Part { turn, queued, agent, task, piece };

std::vector<Part> parts_of(const std::vector<store::Run>& live) {
  std::vector<Part> parts;
  bool turn = false;
  for (const auto& run : live) {
    if (is_task(run) && run.component_id == kAgentTool)
      parts.push_back(Part::agent);
    else if (is_task(run))
      parts.push_back(run.awaited ? Part::piece : Part::task);  // what a call waits for is a piece of its turn
    else
      parts.push_back(std::exchange(turn, true) ? Part::queued : Part::turn);
  }
  return parts;
}

void count(Stopped& stopped, Part part) {
  switch (part) {
    case Part::turn: stopped.turn = true; break;
    case Part::queued: ++stopped.queued; break;
    case Part::agent: ++stopped.agents; break;
    case Part::task: ++stopped.tasks; break;
    case Part::piece: break;
  }
}

// Read after the cancel: the event at which it paused says what it waited for.
aio::Task<std::size_t> waiting_calls(Deps& deps, const store::Run& run) {
  if (!run.event_count) co_return 0;
  const auto slice = co_await deps.store.read(run.number, run.event_count - 1);
  const auto event = run::decode(std::string_view(*slice.lines).substr(0, slice.lines->find('\n')));
  const auto* paused = event ? std::get_if<run::RunPaused>(&event->payload) : nullptr;
  co_return paused ? paused->calls.size() : 0;
}

// Of a session that goes on without the one that it is named after; nobody who knows that one can guess it.
std::string detached_id(const std::string& session_id, base::Random& random) {
  const auto tail = ".detached-" + base::hex(random, kDetachedDigits);
  return std::string(base::utf8_prefix(session_id, limits::kSessionIdBytesMax - tail.size())) + tail;
}

}  // namespace

aio::Task<Stopped> abort_session(Deps& deps, store::SessionNumber session, std::int64_t until_ms, GivenUp given_up) {
  auto live = co_await deps.store.cancel_session(session);
  const auto parts = parts_of(live);
  Stopped stopped;
  for (std::size_t i = 0; i < live.size(); ++i) {
    if (parts[i] == Part::turn || parts[i] == Part::queued) stopped.was_active = true;
    if (live[i].status == run::Status::paused) stopped.approvals += co_await waiting_calls(deps, live[i]);
  }
  const auto ended = co_await wait_for_ends(deps, std::move(live), until_ms, std::move(given_up));
  for (std::size_t i = 0; i < ended.size(); ++i) {
    if (ended[i].status == run::Status::cancelled) count(stopped, parts[i]);
    if (!run::is_terminal(ended[i].status)) ++stopped.left;
  }
  co_return stopped;
}

aio::Task<bool> remove_session(Deps& deps, std::string session_id, std::int64_t until_ms, GivenUp given_up) {
  store::RunFilter live;
  live.session_id = session_id;
  live.live_only = true;
  live.limit = limits::kPageLimitMax;
  co_await fire_session_end(deps, session_id, until_ms);
  // What is live keeps its session: it is cancelled, and waited for, and then the session goes.
  while (co_await deps.store.remove_session(session_id, detached_id(session_id, deps.random))) {
    auto page = co_await deps.store.list_runs(live);
    co_await wait_for_ends(deps, std::move(page.items), until_ms, given_up);
    if (given_up() || deps.time.steady_ms() >= until_ms) {
      const auto left = co_await deps.store.find_session(session_id);
      co_return !left;
    }
  }
  co_return true;
}

}  // namespace engine
