#pragma once
// Writes of sessions; see run_writes.h for how they run.
#include <vector>

#include "base/error.h"
#include "store/sqlite/database.h"
#include "store/sqlite/group_commit.h"
#include "store/types.h"

namespace store::sqlite {

base::Result<Session> insert_session(Database& db, const Session& session);
base::Result<Session> update_session(Database& db, const std::string& session_id, const SessionChange& change, std::int64_t now_ms);
// Binds a cancel of what is live, but of tasks that an end leaves alone. What it cancels, as it was before.
std::vector<Run> cancel_session(Database& db, Commit& commit, SessionNumber session);
bool delete_session(Database& db, Commit& commit, const std::string& session_id, const std::string& detached, std::int64_t now_ms);

}  // namespace store::sqlite
