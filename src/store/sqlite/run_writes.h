#pragma once
// The writes of a run's life, each as it runs inside a transaction of the writer (see WriteQueue::execute). They check first
// and change after, so a refusal leaves nothing behind; they may be run again after a rollback.
#include "base/error.h"
#include "store/liveness.h"
#include "store/sqlite/database.h"
#include "store/sqlite/group_commit.h"
#include "store/types.h"

namespace store::sqlite {

base::Result<Launched> launch_run(Database& db, Commit& commit, const Launch& launch);
base::Result<Lease> claim_run(Database& db, Commit& commit, RunNumber number, OwnerNumber claimant, OwnerNumber from,
                              const Peers& peers, std::int64_t now_ms);
void release_run(Database& db, Commit& commit, RunNumber number, std::int64_t epoch, const std::string& reason, std::int64_t now_ms);

// `lines` are the append's, shared with the readers of this process.
base::Result<> append_events(Database& db, Commit& commit, const Append& append, const std::shared_ptr<const std::string>& lines);

CancelAnswer cancel_run(Database& db, Commit& commit, const std::string& run_id, std::int64_t now_ms);

base::Result<> remove_finished_run(Database& db, RunNumber number);
std::int64_t trim_finished_events(Database& db, std::int64_t ended_before_ms);

OwnerNumber insert_owner(Database& db, const Owner& self, std::int64_t now_ms);

}  // namespace store::sqlite
