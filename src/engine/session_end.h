#pragma once
// The end of what a session does: an abort, which it survives, and its removal. Its turns are cancelled, whole trees; so are its
// background tasks, unless their app says otherwise (run::OnEnd).
#include <functional>
#include <string>

#include "engine/deps.h"

namespace engine {

// What was live at an abort and is cancelled now. What ended by itself in between, or goes on, is not counted.
struct Stopped {
  bool was_active = false;    // there was a turn under way, paused or waiting
  bool turn = false;          // the one that was under way or paused
  std::size_t queued = 0;     // turns that waited
  std::size_t agents = 0;     // calls that had given work to other agents, which end with them
  std::size_t tasks = 0;      // background tasks
  std::size_t approvals = 0;  // calls that waited for a decision
  std::size_t left = 0;       // what was cancelled and has not ended within the time: it will
};

// Both come back when everything has ended, at `until_ms` of the steady clock, or when `given_up` says so. Both bind at once:
// whatever comes of the waiting, what was live is cancelled or has its new session, also after a crash.
using GivenUp = std::function<bool()>;
aio::Task<Stopped> abort_session(Deps& deps, store::SessionNumber session, std::int64_t until_ms, GivenUp given_up);
// False: it is not removed yet, because something of it has not ended. An unknown session is removed. Before anything else its
// hooks are told, once.
aio::Task<bool> remove_session(Deps& deps, std::string session_id, std::int64_t until_ms, GivenUp given_up);

}  // namespace engine
