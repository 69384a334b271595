#pragma once
// What the agents of a session note; see run_writes.h for how the writes run.
#include <string>

#include "base/error.h"
#include "store/sqlite/database.h"
#include "store/types.h"

namespace store::sqlite {

base::Result<run::MemoryEntry> insert_memory(Database& db, SessionNumber session, const run::MemoryEntry& entry,
                                             const std::string& key, std::int64_t now_ms);
base::Result<run::MemoryEntry> update_memory(Database& db, SessionNumber session, std::int64_t number,
                                             const run::MemoryChange& change, std::int64_t now_ms);
base::Result<> delete_memory(Database& db, SessionNumber session, std::int64_t number);

// What was made by then, as it is now, under its numbers.
void copy_memory(Database& db, SessionNumber from, SessionNumber to, std::int64_t made_until_ms);

}  // namespace store::sqlite
