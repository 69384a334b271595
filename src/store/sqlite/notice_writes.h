#pragma once
// What the model of a session has not been told yet; a session of kind tool has none. Made where it happens and gone where it is told, each in the transaction
// that makes it so.
#include <string>
#include <vector>

#include "store/sqlite/database.h"
#include "store/sqlite/group_commit.h"
#include "store/types.h"

namespace store::sqlite {

// A run has ended: news, if it is a task that nobody waits for.
void notice_end(Database& db, RunNumber run, std::int64_t now_ms);
// A task showed what was waited for; once for each detail.
void insert_notice(Database& db, Commit& commit, const Run& task, const std::string& kind, const std::string& detail, std::int64_t now_ms);

// Whether none of them has been told yet.
bool all_wait(Database& db, const std::vector<std::int64_t>& notices);
// Whether something that was left for the run's program has not been taken.
bool message_waits(Database& db, const std::string& run_id);
// What the events of an append tell is not told again.
void delete_told(Database& db, const Append& append);

// False: it has ended.
bool stop_awaiting(Database& db, RunNumber task);

}  // namespace store::sqlite
