#include "store/sqlite/writer.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <span>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/sqlite/schema.h"

namespace store::sqlite {

namespace limits = base::limits;

namespace {

constexpr int kPageBytes = 4096;
constexpr int kCheckpointPages = 1000;
constexpr std::int64_t kSealAtCloseMs = 1000;
constexpr int kBackstopPages = static_cast<int>(limits::kWalBytesMax) / kPageBytes;

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

Writer::Writer(boost::asio::io_context& io, WriterOptions options) : io_(io), options_(std::move(options)) {
  thread_ = std::thread([this] { loop(); });
}

Writer::~Writer() {
  // close() must have been awaited; an exception on the way here may have skipped it.
  {
    const std::lock_guard hold(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Writer::set_owner(OwnerNumber owner) {
  const std::lock_guard hold(mutex_);
  owner_ = owner;
}

void Writer::submit(Operation operation) {
  {
    const std::lock_guard hold(mutex_);
    ASSERT(!closing_);
    queue_.push_back(std::move(operation));
  }
  wake_.notify_one();
}

aio::Task<> Writer::close() {
  auto nothing = [](Database&, Commit&) { return true; };
  try {
    co_await execute(nothing);
  } catch (const base::Broken&) {
    // What could not be written has been told to those who waited for it.
  }
  {
    const std::lock_guard hold(mutex_);
    closing_ = true;
    close_by_ms_ = options_.clock->steady_ms() + kSealAtCloseMs;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();  // only the sealing of what ended is left: milliseconds
}

void Writer::open() {
  lock_ = std::make_unique<WriteLock>(options_.lock_path);
  const WriteLock::Hold hold(*lock_);
  db_ = std::make_unique<Database>(options_.database_path, OpenMode::read_write);
  migrate(*db_);
}

Writer::Batch Writer::take() {
  Batch batch;
  std::size_t bytes = 0;
  const std::lock_guard hold(mutex_);
  while (!queue_.empty() && batch.size() < limits::kCommitOpsMax && bytes < limits::kCommitBytesMax) {
    bytes += queue_.front().bytes;
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batch;
}

bool Writer::heartbeat_due() const { return !held_.empty() && options_.clock->steady_ms() >= heartbeat_ms_; }

void Writer::loop() {
  try {
    open();
    checkpointer_ = std::thread([this] { checkpoint_loop(); });
  } catch (...) {
    open_failure_ = std::current_exception();
  }
  for (;;) {
    {
      std::unique_lock hold(mutex_);
      const auto due = [this] { return closing_ || !queue_.empty() || !unsealed_.empty(); };
      if (held_.empty())
        wake_.wait(hold, due);
      else
        wake_.wait_for(hold, std::chrono::milliseconds(limits::kHeartbeatMs), due);
      if (closing_ && queue_.empty() && unsealed_.empty()) break;
    }
    if (open_failure_) {
      auto batch = take();
      for (auto& operation : batch) operation.failure = open_failure_;
      finish(std::move(batch), {});
      continue;
    }
    const bool work = [this] {
      const std::lock_guard hold(mutex_);
      return !queue_.empty();
    }();
    if (work || heartbeat_due()) {
      Batch batch;
      commit(batch);
    }
    maintain();
  }
  if (checkpointer_.joinable()) {
    {
      const std::lock_guard hold(mutex_);
      checkpoint_closing_ = true;
    }
    checkpoint_wake_.notify_all();
    checkpointer_.join();
  }
  if (!open_failure_) leave_tidy();
  db_.reset();
}

void Writer::leave_tidy() {
  try {
    const WriteLock::Hold hold(*lock_);
    db_->checkpoint_truncate();
  } catch (const base::Broken& error) {
    base::log::warning("the write-ahead log could not be emptied at the end", {{"reason", error.what()}});
  }
}

bool Writer::try_commit(Database& db, std::span<Operation> operations, Commit& commit) {
  OwnerNumber owner = 0;
  {
    const std::lock_guard hold(mutex_);
    owner = owner_;
  }
  try {
    db.query("BEGIN IMMEDIATE").run();
    for (auto& operation : operations) operation.work(db, commit);
    if (owner && (heartbeat_due() || !commit.taken.empty())) {
      db.query("UPDATE owner SET expires_ms = ? WHERE id = ?").bind(options_.clock->wall_ms() + limits::kLeaseMs).bind(owner).run();
      heartbeat_ms_ = options_.clock->steady_ms() + limits::kHeartbeatMs;
    }
    reach_places_before(commit);
    db.query("COMMIT").run();
    reach_places_after(commit);
    return true;
  } catch (...) {
    if (db.in_transaction()) db.query("ROLLBACK").run();
    commit = {};
    if (operations.size() <= 1)
      for (auto& operation : operations) operation.failure = std::current_exception();
    if (operations.empty()) base::log::error("a heartbeat could not be written", {{"reason", describe(std::current_exception())}});
    return false;
  }
}

void Writer::commit(Batch& batch) {
  Commit all;
  {
    const WriteLock::Hold hold(*lock_);
    batch = take();  // under the lock: what came while we waited for it goes along
    if (!try_commit(*db_, batch, all) && batch.size() > 1) {
      for (auto& operation : batch) {
        Commit one;
        if (!try_commit(*db_, std::span(&operation, 1), one)) continue;
        ring(one);
        finish({}, std::move(one));
      }
    }
    ring(all);
  }
  finish(std::move(batch), std::move(all));
}

void Writer::ring(const Commit& commit) {
  if (commit.block_last) options_.log_bell->ring(commit.block_last);
  if (commit.control) options_.control_bell->ring(++control_rings_);
}

void Writer::finish(Batch batch, Commit commit) {
  for (const auto run : commit.taken) held_.insert(run);
  for (const auto run : commit.given_up) held_.erase(run);
  for (const auto run : commit.ended) unsealed_.push_back({.run = run});
  if (batch.empty() && commit.growth.empty() && !commit.control && !commit.block_last) return;
  boost::asio::post(io_, [this, batch = std::move(batch), commit = std::move(commit)]() mutable {
    // Readers are resumed before the writers of the next events, so that what is committed leaves at once.
    options_.committed(commit);
    if (!commit.growth.empty()) base::failpoint("append.after_publish");
    for (auto& operation : batch) operation.done(operation.failure);
  });
}

void Writer::maintain() {
  const int pages = db_->wal_pages();
  if (pages > kBackstopPages) {
    const WriteLock::Hold hold(*lock_);
    db_->checkpoint_passive();
  } else if (pages > kCheckpointPages) {
    {
      const std::lock_guard hold(mutex_);
      checkpoint_due_ = true;
    }
    checkpoint_wake_.notify_one();
  }
  if (!unsealed_.empty()) seal_some();
}

void Writer::seal_some() {
  {
    const std::lock_guard hold(mutex_);
    if (!queue_.empty()) return;  // live work first
    if (closing_ && options_.clock->steady_ms() > close_by_ms_) unsealed_.clear();
  }
  if (unsealed_.empty()) return;
  try {
    const WriteLock::Hold hold(*lock_);
    if (!seal_step(*db_, unsealed_.front())) unsealed_.pop_front();
  } catch (const base::Broken& error) {
    base::log::warning("sealing a finished run failed", {{"reason", error.what()}});
    unsealed_.pop_front();
  }
}

void Writer::checkpoint_loop() {
  try {
    Database db(options_.database_path, OpenMode::read_write);
    for (;;) {
      {
        std::unique_lock hold(mutex_);
        checkpoint_wake_.wait(hold, [this] { return checkpoint_closing_ || checkpoint_due_; });
        if (checkpoint_closing_) return;
        checkpoint_due_ = false;
      }
      db.checkpoint_passive();
    }
  } catch (const base::Broken& error) {
    base::log::warning("the checkpoint thread ended; the writer checkpoints itself", {{"reason", error.what()}});
  }
}

}  // namespace store::sqlite
