#pragma once
// Wakes idle sessions: where a task has ended or shown what was waited for, and nobody talks to the session's agent, it gets a
// turn in which it is told. Endings that come together buy one turn, and turns that only follow from each other are counted.
#include "engine/deps.h"
#include "engine/executor.h"

namespace engine {

// A turn that nobody asked for.
bool is_wake(const run::Spec& spec);

class Waker {
 public:
  // Both outlive the task of run().
  // `session_id`: the only one that it wakes; "": all.
  Waker(Deps& deps, Executor& executor, std::string session_id = "") : deps_(deps), executor_(executor), session_id_(std::move(session_id)) {}

  // Until it is cancelled. Several processes may do it: a turn has a launch key, so that it is taken once.
  aio::Task<> run();
  // Whether the session waits to be woken, now or in a moment.
  aio::Task<bool> has_work();

 private:
  aio::Task<> look();
  aio::Task<> wake(const store::Session& session);
  aio::Task<std::optional<LaunchRequest>> turn_for(const store::Session& session);

  Deps& deps_;
  Executor& executor_;
  const std::string session_id_;
};

}  // namespace engine
