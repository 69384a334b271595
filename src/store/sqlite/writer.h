#pragma once
// The one thread of a process that writes. It takes all that is queued when it is free, commits it in one transaction
// (group commit, no linger), rings the bells, and hands results and growth to the io thread in one post.
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "aio/task.h"
#include "base/clock.h"
#include "store/doorbell.h"
#include "store/sqlite/backend.h"
#include "store/sqlite/checkpoint.h"
#include "store/sqlite/database.h"
#include "store/sqlite/seal.h"
#include "store/types.h"
#include "store/write_lock.h"

namespace store::sqlite {

struct WriterOptions {
  std::string database_path, lock_path;
  const base::Clock* clock = nullptr;
  Doorbell* log_bell = nullptr;
  Doorbell* control_bell = nullptr;
  // Io thread, after each commit that has something to tell.
  std::function<void(const Commit&)> committed;
};

class Writer final : public WriteQueue {
 public:
  Writer(boost::asio::io_context& io, WriterOptions options);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Renews the lease of this owner while runs are held. Any thread.
  void set_owner(OwnerNumber owner);
  // Io thread. Ends the thread after what is queued is committed.
  aio::Task<> close();

 private:
  using Batch = std::vector<Operation>;

  void submit(Operation operation) override;
  void loop();
  Batch take();
  void commit();
  void ring(const Commit& commit);
  void finish(Batch batch, std::vector<Commit> commits);
  void look_after_log();
  void seal_some();
  void move_log();
  void leave_tidy();
  bool open();

  // constant after construction
  boost::asio::io_context& io_;
  WriterOptions options_;

  // io thread only
  bool waking_ = false;  // the thread is about to be woken

  // writer thread only
  std::unique_ptr<WriteLock> lock_;
  std::unique_ptr<Database> db_;
  GroupCommit group_;
  std::deque<Unsealed> unsealed_;
  std::int64_t control_rings_ = 0;
  std::unique_ptr<Checkpointer> checkpointer_;

  // protected by mutex_
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Operation> queue_;
  OwnerNumber owner_ = 0;
  bool closing_ = false;
  std::int64_t close_by_ms_ = 0;            // sealing may take until then

  std::thread thread_;
};

}  // namespace store::sqlite
