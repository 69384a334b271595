#include "store/sqlite/group_commit.h"

#include "base/failpoint.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mutation.h"

namespace store::sqlite {

namespace limits = base::limits;

namespace {

constexpr bool kTellEarly = base::mutated(base::Mutation::deliver_before_commit);

std::string describe(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  }
}

void reach_places_before(const Commit& commit) {
  if (commit.launched) base::failpoint("launch.before_commit");
  if (!commit.growth.empty()) base::failpoint("append.before_commit");
  if (commit.cancelled) base::failpoint("cancel.before_commit");
  if (!commit.ended.empty()) base::failpoint("end.before_commit");
}

void reach_places_after(const Commit& commit) {
  if (commit.launched) base::failpoint("launch.after_commit");
  if (!commit.growth.empty()) base::failpoint("append.after_commit");
  if (commit.cancelled) base::failpoint("cancel.after_commit");
}

}  // namespace

void GroupCommit::run(Database& db, std::span<Operation> operations, OwnerNumber owner, const Committed& committed) {
  if (attempt(db, operations, owner, committed) || operations.size() <= 1) return;
  for (auto& operation : operations) attempt(db, std::span(&operation, 1), owner, committed);
}

bool GroupCommit::attempt(Database& db, std::span<Operation> operations, OwnerNumber owner, const Committed& committed) {
  Commit commit;
  bool renewed = false;
  try {
    db.query("BEGIN IMMEDIATE").run();
    for (auto& operation : operations) operation.work(db, commit);
    if (owner && (heartbeat_due() || !commit.taken.empty())) {
      db.query("UPDATE owner SET expires_ms = ? WHERE id = ?").bind(clock_.wall_ms() + limits::kLeaseMs).bind(owner).run();
      renewed = true;
    }
    reach_places_before(commit);
    if (kTellEarly) committed(commit);
    db.commit();
    reach_places_after(commit);
  } catch (...) {
    if (db.in_transaction()) db.query("ROLLBACK").run();
    if (operations.size() <= 1)
      for (auto& operation : operations) operation.failure = std::current_exception();
    if (operations.empty())
      base::log::error("a heartbeat could not be written", {{"reason", describe(std::current_exception())}});
    return false;
  }
  if (renewed) heartbeat_ms_ = clock_.steady_ms() + limits::kHeartbeatMs;
  for (const auto& [run, epoch] : commit.taken) held_[run] = epoch;
  // An attempt that ends late says nothing about a later one of the same run in this process.
  for (const auto& [run, epoch] : commit.given_up)
    if (const auto at = held_.find(run); at != held_.end() && at->second <= epoch) held_.erase(at);
  if (!kTellEarly) committed(std::move(commit));
  return true;
}

}  // namespace store::sqlite
