#include "store/sqlite/writer.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mutation.h"
#include "store/sqlite/schema.h"

namespace store::sqlite {

namespace limits = base::limits;

namespace {

constexpr int kPageBytes = 4096;
constexpr int kCheckpointPages = 1000;
constexpr std::int64_t kSealAtCloseMs = 1000;
// Ended runs are sealed when nothing has come for so long: what an end begins is on its way, and would wait for a sync. But not
// where too many wait for it.
constexpr std::int64_t kSealAfterMs = 5;
constexpr std::size_t kUnsealedMax = 1000;
constexpr int kBackstopPages = static_cast<int>(limits::kWalBytesMax) / kPageBytes;

}  // namespace

Writer::Writer(boost::asio::io_context& io, WriterOptions options)
    : io_(io), options_(std::move(options)), group_(*options_.clock) {
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
  // Woken after what the io thread has ready now: runs that end at the same moment share a commit.
  if (std::exchange(waking_, true)) return;
  boost::asio::post(io_, [this] {
    waking_ = false;
    wake_.notify_one();
  });
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

// Whether the database is there. What waits fails while it is not; it may come to be: space is made, rights are given.
bool Writer::open() {
  if (db_) return true;
  try {
    if (!lock_) lock_ = std::make_unique<WriteLock>(options_.lock_path);
    const WriteLock::Hold hold(*lock_);
    auto db = std::make_unique<Database>(options_.database_path, OpenMode::read_write);
    migrate(*db);
    db_ = std::move(db);
    checkpointer_ = std::make_unique<Checkpointer>(options_.database_path);
    return true;
  } catch (const base::Broken&) {
    auto batch = take();
    for (auto& operation : batch) operation.failure = std::current_exception();
    finish(std::move(batch), {});
    return false;
  }
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

void Writer::loop() {
  bool quiet = false;  // nothing has come for a moment
  for (;;) {
    {
      std::unique_lock hold(mutex_);
      const auto due = [this] { return closing_ || !queue_.empty() || unsealed_.size() > kUnsealedMax; };
      if (!unsealed_.empty())
        quiet = !wake_.wait_for(hold, std::chrono::milliseconds(quiet ? 0 : kSealAfterMs), due);
      else if (!group_.holds_runs())
        wake_.wait(hold, due);
      else
        wake_.wait_for(hold, std::chrono::milliseconds(limits::kHeartbeatMs), due);
      if (closing_ && queue_.empty() && unsealed_.empty()) break;
    }
    if (!open()) continue;
    const bool work = [this] {
      const std::lock_guard hold(mutex_);
      return !queue_.empty();
    }();
    if (work || group_.heartbeat_due()) commit();
    look_after_log();
    if (!unsealed_.empty() && !work) seal_some();
  }
  checkpointer_.reset();
  if (db_) leave_tidy();
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

void Writer::commit() {
  OwnerNumber owner = 0;
  {
    const std::lock_guard hold(mutex_);
    owner = owner_;
  }
  Batch batch;
  std::vector<Commit> commits;
  const auto committed = [this, &commits](Commit commit) {
    ring(commit);
    for (const auto run : commit.ended) unsealed_.push_back({.run = run});
    if (base::mutated(base::Mutation::deliver_before_commit))
      boost::asio::post(io_, [this, early = std::move(commit)] { options_.committed(early); });
    else
      commits.push_back(std::move(commit));
  };
  {
    const WriteLock::Hold hold(*lock_);
    batch = take();  // under the lock: what came while we waited for it goes along
    group_.run(*db_, batch, owner, committed);
  }
  finish(std::move(batch), std::move(commits));
}

void Writer::ring(const Commit& commit) {
  if (commit.block_last) options_.log_bell->ring(commit.block_last);
  if (commit.control) options_.control_bell->ring(++control_rings_);
}

void Writer::finish(Batch batch, std::vector<Commit> commits) {
  std::erase_if(commits, [](const Commit& c) { return c.growth.empty() && !c.control && !c.block_last; });
  if (batch.empty() && commits.empty()) return;
  boost::asio::post(io_, [this, batch = std::move(batch), commits = std::move(commits)]() mutable {
    // Readers are resumed before the writers of the next events, so that what is committed leaves at once.
    for (const auto& commit : commits) {
      options_.committed(commit);
      if (!commit.growth.empty()) base::failpoint("append.after_publish");
    }
    for (auto& operation : batch) operation.done(operation.failure);
  });
}

void Writer::look_after_log() {
  const int pages = db_->wal_pages();
  if (pages > kBackstopPages)
    move_log();
  else if (pages > kCheckpointPages)
    checkpointer_->request();
}

void Writer::move_log() {
  try {
    const WriteLock::Hold hold(*lock_);
    db_->checkpoint_passive();
  } catch (const base::Broken& error) {
    base::log::warning("the write-ahead log grows: it could not be moved into the database", {{"reason", error.what()}});
  }
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

}  // namespace store::sqlite
