#pragma once
// The one thread of a process that writes. It takes all that is queued when it is free, commits it in one transaction
// (group commit, no linger), rings the bells, and hands results and growth to the io thread in one post.
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <unordered_set>
#include <vector>

#include "aio/task.h"
#include "base/clock.h"
#include "store/doorbell.h"
#include "store/sqlite/database.h"
#include "store/sqlite/seal.h"
#include "store/types.h"
#include "store/write_lock.h"

namespace store::sqlite {

// What operations of one batch leave behind for after the commit. Reset for each attempt at the batch.
struct Commit {
  std::vector<Growth> growth;
  std::int64_t block_first = 0, block_last = 0;  // ids of the event blocks that this commit inserted
  bool control = false;                          // something for executors to decide
  bool launched = false, cancelled = false;      // what a crash test may end the process at
  std::vector<RunNumber> taken, given_up;        // leases of this process
  std::vector<RunNumber> ended;                  // to be sealed
};

struct WriterOptions {
  std::string database_path, lock_path;
  const base::Clock* clock = nullptr;
  Doorbell* log_bell = nullptr;
  Doorbell* control_bell = nullptr;
  // Io thread, after each commit that has something to tell.
  std::function<void(const Commit&)> committed;
};

class Writer {
 public:
  Writer(boost::asio::io_context& io, WriterOptions options);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Runs work(db, commit) inside the next transaction; its result comes after the commit. When a batch fails it is rolled
  // back and its operations run again one by one, so `work` must be repeatable; the one that fails again throws.
  template <class Work>
  aio::Task<std::invoke_result_t<Work&, Database&, Commit&>> execute(Work work, std::size_t bytes = 0) {
    using Value = std::invoke_result_t<Work&, Database&, Commit&>;
    std::optional<Value> value;
    auto step = [&value, &work](Database& db, Commit& commit) { value.emplace(work(db, commit)); };
    co_await enqueue(step, bytes);
    co_return std::move(*value);
  }

  // Renews the lease of this owner while runs are held. Any thread.
  void set_owner(OwnerNumber owner);
  // Io thread. Ends the thread after what is queued is committed.
  aio::Task<> close();

 private:
  struct Operation {
    std::function<void(Database&, Commit&)> work;
    std::function<void(std::exception_ptr)> done;  // io thread
    std::size_t bytes = 0;
    std::exception_ptr failure = nullptr;
  };
  using Batch = std::vector<Operation>;

  template <class Step>
  aio::Task<> enqueue(Step& step, std::size_t bytes) {
    auto initiate = [this, &step, bytes](auto handler) {
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      submit({.work = [&step](Database& db, Commit& commit) { step(db, commit); },
              .done = [shared](std::exception_ptr failure) { std::move (*shared)(failure); },
              .bytes = bytes});
    };
    co_await boost::asio::async_initiate<decltype(boost::asio::use_awaitable), void(std::exception_ptr)>(initiate,
                                                                                                         boost::asio::use_awaitable);
  }

  void submit(Operation operation);
  void loop();
  Batch take();
  bool heartbeat_due() const;
  void commit(Batch& batch);
  bool try_commit(Database& db, std::span<Operation> operations, Commit& commit);
  void ring(const Commit& commit);
  void finish(Batch batch, Commit commit);
  void maintain();
  void seal_some();
  void leave_tidy();
  void checkpoint_loop();
  void open();

  // constant after construction
  boost::asio::io_context& io_;
  WriterOptions options_;

  // writer thread only
  std::unique_ptr<WriteLock> lock_;
  std::unique_ptr<Database> db_;
  std::unordered_set<RunNumber> held_;      // runs this process has the lease of
  std::deque<Unsealed> unsealed_;
  std::int64_t heartbeat_ms_ = 0;
  std::int64_t control_rings_ = 0;
  std::exception_ptr open_failure_;

  // protected by mutex_
  std::mutex mutex_;
  std::condition_variable wake_, checkpoint_wake_;
  std::deque<Operation> queue_;
  OwnerNumber owner_ = 0;
  bool closing_ = false;
  std::int64_t close_by_ms_ = 0;            // sealing may take until then
  bool checkpoint_due_ = false;
  bool checkpoint_closing_ = false;

  std::thread thread_;
  std::thread checkpointer_;
};

}  // namespace store::sqlite
