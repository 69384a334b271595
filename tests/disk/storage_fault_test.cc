// The real store on a disk that fails at the N-th call, once or until it is healed. Clients ask again, as executors do.
#include <gtest/gtest.h>

#include <climits>
#include <filesystem>

#include "base/error.h"
#include "store/sqlite/database.h"
#include "tests/disk/recording_vfs.h"
#include "tests/disk/survivors.h"
#include "tests/disk/temporary_home.h"
#include "tests/disk/workload.h"

namespace disk {
namespace {

constexpr int kFailuresUntilHealed = 6;

enum class Lasting { once, until_healed };

std::string describe(const Fault& fault) {
  return "call " + std::to_string(static_cast<int>(fault.call)) + " of file " +
         (fault.file ? std::to_string(static_cast<int>(*fault.file)) : "any") + ", from " + std::to_string(fault.first) + " to " +
         std::to_string(fault.last) + ", effect " + std::to_string(static_cast<int>(fault.effect));
}

// What a power cut now leaves undone: a sync that failed was no sync.
std::string found_after_cut(const Disk& disk, const Ledger& ledger) {
  const TemporaryHome home;
  Survivors survivors(disk.journal());
  sim::Random random(1);
  survivors.advance(disk.now());
  survivors.write_to(home.path(), Loss::everything_unsynced, random);
  return violation_of(ledger, disk.now(), home.path(), 1);
}

// One workload on a disk of its own with one fault.
class Trial {
 public:
  // How often the fault struck. What it did wrong is a failure of the test.
  int run(const Fault& fault) {
    SCOPED_TRACE(describe(fault));
    const Attached attached(disk_);
    disk_.arm(fault);
    int failures = 0;
    const auto broken = [&](const std::string& reason) {
      EXPECT_NE(reason.find(home_.path()), std::string::npos) << "it does not say which file: " << reason;
      EXPECT_EQ(reason.find("transaction"), std::string::npos) << "that is not the reason: " << reason;
      if (++failures >= kFailuresUntilHealed) disk_.heal();
    };
    play({.lives = 2, .executors = 2, .runs = 2, .batches = 12, .broken = broken}, disk_, ledger_);
    const int strikes = disk_.strikes();
    disk_.heal();
    if (strikes) look();
    return strikes;
  }

 private:
  // What a process finds that comes next, and what one finds after a power cut.
  void look() {
    const auto end = disk_.now();
    EXPECT_EQ(found_after_cut(disk_, ledger_), "") << "after a power cut";
    EXPECT_EQ(violation_of(ledger_, end, home_.path(), 1), "");
  }

  TemporaryHome home_;
  Disk disk_{home_.path()};
  Ledger ledger_;
};

// At the first calls one by one, then further and further apart, until the fault comes too late to strike.
void try_everywhere(Fault fault, Lasting lasting) {
  int struck = 0;
  for (int at = 1;; at += 1 + at / 2) {
    fault.first = at;
    fault.last = lasting == Lasting::once ? at : INT_MAX;
    if (!Trial().run(fault) || testing::Test::HasFailure()) break;
    ++struck;
  }
  EXPECT_GT(struck, 0) << describe(fault) << ": it never struck";
}

void try_everywhere(Fault fault) {
  try_everywhere(fault, Lasting::once);
  try_everywhere(fault, Lasting::until_healed);
}

TEST(StorageFault, FullDisk) { try_everywhere({.call = Call::write, .effect = Effect::disk_full}); }
TEST(StorageFault, HalfAWrite) { try_everywhere({.call = Call::write, .effect = Effect::short_write}); }
TEST(StorageFault, FailedWriteToTheLog) { try_everywhere({.call = Call::write, .file = FileKind::wal}); }
TEST(StorageFault, FailedWriteToTheDatabase) { try_everywhere({.call = Call::write, .file = FileKind::database}); }
TEST(StorageFault, FailedSyncOfTheLog) { try_everywhere({.call = Call::sync, .file = FileKind::wal}); }
TEST(StorageFault, FailedSyncOfTheDatabase) { try_everywhere({.call = Call::sync, .file = FileKind::database}); }
TEST(StorageFault, FailedSyncOfTheRollbackJournal) { try_everywhere({.call = Call::sync, .file = FileKind::rollback_journal}); }
TEST(StorageFault, FailedRead) { try_everywhere({.call = Call::read}); }
TEST(StorageFault, FailedTruncate) { try_everywhere({.call = Call::truncate}); }
TEST(StorageFault, FailedOpen) { try_everywhere({.call = Call::open}); }
TEST(StorageFault, FailedRemove) { try_everywhere({.call = Call::remove}); }
TEST(StorageFault, FailedSharedMemory) { try_everywhere({.call = Call::share}); }
TEST(StorageFault, FailedLock) { try_everywhere({.call = Call::lock}); }

// A store that forgot a failed sync would look like this one, whose disk does not tell: what it acknowledged is gone.
TEST(StorageFault, ASyncThatFailsUnheardIsNoticed) {
  TemporaryHome home;
  Disk disk(home.path());
  Ledger ledger;
  {
    const Attached attached(disk);
    disk.arm({.call = Call::sync, .file = FileKind::wal, .first = 40, .last = 60, .effect = Effect::silence});
    play({.lives = 1, .executors = 2, .runs = 2}, disk, ledger);
  }
  EXPECT_GT(disk.strikes(), 0);
  EXPECT_NE(found_after_cut(disk, ledger), "");
}

// How many rows a process finds that comes after this one was killed: the files as they are, the shared memory gone.
std::int64_t rows_found_by_the_next(const std::string& home) {
  const TemporaryHome next;
  for (const std::string name : {"/outlast.db", "/outlast.db-wal"}) std::filesystem::copy_file(home + name, next.path() + name);
  store::sqlite::Database db(next.path() + "/outlast.db", store::sqlite::OpenMode::read_write);
  auto rows = db.query("SELECT count(*) FROM t");
  return rows.step() ? rows.integer(0) : -1;
}

// What a failed sync did not keep is in memory all the same; whoever took it for a commit would build on what is not on the disk.
TEST(StorageFault, ACommitThatFailedIsNoneForTheNextProcessEither) {
  TemporaryHome home;
  Disk disk(home.path());
  const Attached attached(disk);
  store::sqlite::Database db(home.path() + "/outlast.db", store::sqlite::OpenMode::read_write);
  db.execute("CREATE TABLE t(x)");
  const auto insert = [&db] {
    db.query("BEGIN IMMEDIATE").run();
    db.query("INSERT INTO t VALUES(1)").run();
    db.commit();
  };
  disk.arm({.call = Call::sync, .file = FileKind::wal});
  EXPECT_THROW(insert(), base::Broken);
  EXPECT_EQ(disk.strikes(), 1);
  EXPECT_FALSE(db.in_transaction());
  EXPECT_EQ(rows_found_by_the_next(home.path()), 0);
  insert();
  EXPECT_EQ(rows_found_by_the_next(home.path()), 1);
}

// The log is kept, and grows, while it cannot be moved into the database; nobody waits for that.
TEST(StorageFault, ALogThatCannotBeMovedIsKept) {
  TemporaryHome home;
  Disk disk(home.path());
  Ledger ledger;
  const Attached attached(disk);
  play({.lives = 1, .executors = 1, .runs = 1}, disk, ledger);
  disk.arm({.call = Call::write, .file = FileKind::database, .last = INT_MAX, .effect = Effect::disk_full});
  play({.seed = 2, .lives = 2, .executors = 4, .runs = 12}, disk, ledger);  // none of it fails
  EXPECT_GT(disk.strikes(), 1);
  EXPECT_GT(std::filesystem::file_size(home.path() + "/outlast.db-wal"), 1'500u * 4096u);
  disk.heal();
  EXPECT_EQ(violation_of(ledger, disk.now(), home.path(), 1), "");
}

}  // namespace
}  // namespace disk
