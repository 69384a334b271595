#pragma once
// What becomes of a session's background tasks at its end (run::OnEnd), decided in the transaction that ends it. A task that
// goes on takes along what its own calls wait for.
#include <string>
#include <vector>

#include "run/spec.h"
#include "store/sqlite/database.h"
#include "store/types.h"

namespace store::sqlite {

struct StayingTask {
  Run run;
  run::OnEnd policy;               // detach or adopt
  std::vector<std::string> after;  // tasks that it follows
};

// What is live in a session, each in the order of launch.
struct LiveRuns {
  std::vector<Run> ending;
  std::vector<StayingTask> staying;
};
LiveRuns look_at_live(Database& db, SessionNumber session);

// Gives them another session, before theirs is removed. `detached`: the id of the one that is made where no agent takes them.
void move_tasks(Database& db, const Session& from, const std::vector<StayingTask>& tasks, const std::string& detached,
                std::int64_t now_ms);

// A task belongs to the session that its parent is in now, which may be another than when its launch was asked for.
void follow_parent(Database& db, Launch& launch);

}  // namespace store::sqlite
