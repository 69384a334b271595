#pragma once
// The reads, each on one connection of the reader pool.
#include <vector>

#include "base/error.h"
#include "store/liveness.h"
#include "store/sqlite/database.h"
#include "store/store.h"
#include "store/types.h"

namespace store::sqlite {

base::Result<Run> select_run(Database& db, const std::string& run_id);
base::Result<Run> select_run_by_prefix(Database& db, const std::string& prefix);
base::Result<Session> select_session(Database& db, const std::string& session_id);
base::Result<Session> select_session_by_prefix(Database& db, const std::string& prefix);

Slice select_events(Database& db, RunNumber run, std::uint64_t from);
std::string select_last_event(Database& db, RunNumber run);
std::vector<Fact> select_facts(Database& db, RunNumber run);
std::vector<Fact> select_session_facts(Database& db, SessionNumber session, const std::string& type);

Page<Run> select_runs(Database& db, const RunFilter& filter);
std::vector<Run> select_tasks(Database& db, const TaskFilter& filter);
Page<Session> select_sessions(Database& db, const SessionFilter& filter);
std::vector<Store::Past> select_history(Database& db, SessionNumber session, std::int64_t through);

Page<run::MemoryEntry> select_memory(Database& db, SessionNumber session, const MemoryFilter& filter);
std::vector<Run> select_undecided(Database& db, std::int64_t now_ms);
std::vector<Session> select_sessions_to_wake(Database& db, std::int64_t created_before_ms);
std::vector<Run> select_orphans(Database& db, const Peers& peers, std::size_t limit, Orphans which,
                                std::int64_t now_ms);
std::vector<RunNumber> select_cancelled(Database& db, OwnerNumber owner);

// Blocks inserted after block `after`: what other processes appended. `last` becomes the newest block seen.
std::vector<Growth> select_growth(Database& db, std::int64_t after, std::int64_t& last);
std::int64_t select_last_block(Database& db);

}  // namespace store::sqlite
