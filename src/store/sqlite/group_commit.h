#pragma once
// One process's transactions: several operations in each, the lease renewed along with them. Any one thread at a time.
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "store/sqlite/database.h"
#include "store/types.h"

namespace store::sqlite {

// The right to execute a run, once.
struct Attempt {
  RunNumber run = 0;
  std::int64_t epoch = 0;
};

// What operations of one transaction leave behind for after the commit.
struct Commit {
  std::vector<Growth> growth;
  std::int64_t block_first = 0, block_last = 0;  // ids of the event blocks that this commit inserted
  bool control = false;                          // something for executors to decide
  bool launched = false, cancelled = false;      // what a crash test may end the process at
  std::vector<Attempt> taken, given_up;          // by this process; given up also: found lost
  std::vector<RunNumber> ended;                  // to be sealed
};

struct Operation {
  std::function<void(Database&, Commit&)> work;  // repeatable: it runs again after a rollback
  std::function<void(std::exception_ptr)> done;  // io thread
  std::size_t bytes = 0;
  std::exception_ptr failure = nullptr;
};

class GroupCommit {
 public:
  // `clock` must outlive it.
  explicit GroupCommit(const base::Clock& clock) : clock_(clock) {}

  using Committed = std::function<void(Commit)>;
  // All operations in one transaction. Where that fails it is rolled back and they run again one by one, so that one poisoned
  // operation hurts nobody else; one that fails again keeps its failure. `owner` (0: none) has its lease renewed while it
  // holds runs. `committed` hears of each transaction right after its commit.
  void run(Database& db, std::span<Operation> operations, OwnerNumber owner, const Committed& committed);

  bool holds_runs() const { return !held_.empty(); }
  // A transaction is wanted, though there be no operation.
  bool heartbeat_due() const { return holds_runs() && clock_.steady_ms() >= heartbeat_ms_; }

 private:
  bool attempt(Database& db, std::span<Operation> operations, OwnerNumber owner, const Committed& committed);

  const base::Clock& clock_;
  std::unordered_map<RunNumber, std::int64_t> held_;  // runs this process has the lease of, with the epoch
  std::int64_t heartbeat_ms_ = 0;                     // when the lease is to be renewed
};

}  // namespace store::sqlite
