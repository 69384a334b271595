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
// Binds a cancel of all that is live; as it was before.
std::vector<Run> cancel_session(Database& db, Commit& commit, SessionNumber session);
bool delete_session(Database& db, Commit& commit, const std::string& session_id);

}  // namespace store::sqlite
