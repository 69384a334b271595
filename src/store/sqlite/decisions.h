#pragma once
// Decisions about what a paused run waits for; see run_writes.h for how writes run.
#include <vector>

#include "base/error.h"
#include "store/sqlite/database.h"
#include "store/sqlite/group_commit.h"
#include "store/types.h"

namespace store::sqlite {

base::Result<Pause> select_pause(Database& db, RunNumber run);
base::Result<Decided> decide_calls(Database& db, Commit& commit, RunNumber run, const std::vector<run::Decision>& decisions,
                                   std::optional<std::uint64_t> index, std::int64_t now_ms);

}  // namespace store::sqlite
