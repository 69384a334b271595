#include "sim/sim_backend.h"

#include <boost/asio/post.hpp>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutation.h"

namespace sim {

namespace sqlite = store::sqlite;

SimBackend::SimBackend(boost::asio::io_context& io, const base::Clock& time, std::shared_ptr<Life> life, Surroundings around,
                       std::int64_t process)
    : io_(io), life_(std::move(life)), around_(std::move(around)), process_(process), group_(time), rung_(io) {}

// Mostly at once, sometimes some milliseconds, seldom long.
std::int64_t SimBackend::delay() {
  auto& random = around_.random;
  if (random.chance(around_.home.weather.slow)) return random.between(10, 400);
  return random.chance(600) ? 0 : random.between(1, 4);
}

// --- writing ---------------------------------------------------------------------------------------------------------

void SimBackend::submit(sqlite::Operation operation) {
  queue_.push_back(std::move(operation));
  if (life_->dead()) {
    bury();
    return;
  }
  wake_writer(delay());
}

void SimBackend::wake_writer(std::int64_t delay_ms) {
  if (std::exchange(step_due_, true)) return;
  life_->after(delay_ms, [this] {
    step_due_ = false;
    step();
  });
}

void SimBackend::step() {
  auto& random = around_.random;
  if (random.chance(around_.home.weather.crash_at_commit)) {
    const bool before = random.chance(500);
    if (!before) commit();
    around_.doom(before ? "dies before a commit" : "dies after a commit");
    return;
  }
  commit();
  if (!queue_.empty())
    wake_writer(delay());
  else if (!unsealed_.empty())
    seal_some();
  if (group_.holds_runs() && !std::exchange(heartbeat_due_, true))
    life_->after(base::limits::kHeartbeatMs, [this] {
      heartbeat_due_ = false;
      if (group_.holds_runs()) step();
    });
}

// While the disk is broken a transaction fails as a whole, be it in a statement or in its COMMIT.
void SimBackend::spoil(Batch& batch) {
  auto& home = around_.home;
  if (around_.clock.steady_ms() >= home.disk_broken_until_ms) return;
  if (batch.empty()) batch.push_back({.work = [](sqlite::Database&, sqlite::Commit&) {}, .done = [](std::exception_ptr) {}});
  for (auto& operation : batch)
    operation.work = [this, work = std::move(operation.work)](sqlite::Database& db, sqlite::Commit& commit) {
      work(db, commit);
      if (!around_.random.chance(around_.home.disk_broken)) return;
      ++around_.trace.counts.failed_commits;
      if (around_.random.chance(500)) throw base::Broken("the simulated disk is full");
      around_.home.spoil_commit();
    };
}

void SimBackend::commit() {
  const auto batch = std::make_shared<Batch>();
  const auto most = around_.random.chance(300) ? std::size_t{1} : base::limits::kCommitOpsMax;
  for (; !queue_.empty() && batch->size() < most; queue_.pop_front()) batch->push_back(std::move(queue_.front()));
  if (batch->empty() && !group_.heartbeat_due()) return;
  spoil(*batch);
  std::vector<sqlite::Commit> commits;
  const auto committed = [this, &commits](sqlite::Commit commit) {
    if (commit.block_last) around_.ring_log(commit.block_last);
    if (commit.control) around_.ring_control();
    for (const auto run : commit.ended) unsealed_.push_back({.run = run});
    if (base::mutated(base::Mutation::deliver_before_commit))
      answer(std::make_shared<Batch>(), {std::move(commit)});
    else
      commits.push_back(std::move(commit));
  };
  group_.run(around_.home.database(), *batch, owner_, committed);
  ++around_.trace.counts.commits;
  around_.trace.note(around_.clock.steady_ms(), "commit", process_, static_cast<std::int64_t>(batch->size()));
  around_.ledger.look(around_.home.database(), owner_);
  answer(batch, std::move(commits));
}

void SimBackend::answer(std::shared_ptr<Batch> batch, std::vector<sqlite::Commit> commits) {
  unanswered_.push_back(batch);
  life_->after(delay(), [this, batch = std::move(batch), commits = std::move(commits)] {
    unanswered_.remove(batch);
    boost::asio::post(io_, [this, batch, commits] {
      // As the writer does: readers are told before the writers of the next events.
      for (const auto& commit : commits) committed_(commit);
      for (auto& operation : *batch) operation.done(operation.failure);
    });
  });
}

void SimBackend::seal_some() {
  if (std::exchange(seal_due_, true)) return;
  life_->after(delay(), [this] {
    seal_due_ = false;
    auto& db = around_.home.database();
    const bool more = sqlite::seal_step(db, unsealed_.front());
    if (!more) unsealed_.pop_front();
    around_.ledger.look(db, owner_);
    if (!unsealed_.empty()) seal_some();
  });
}

// --- reading ---------------------------------------------------------------------------------------------------------

aio::Task<> SimBackend::run(std::function<void(sqlite::Database&)> look) {
  auto initiate = [this, &look](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    start_look({.look = std::move(look), .done = [shared](std::exception_ptr failure) { std::move (*shared)(failure); }});
  };
  co_await boost::asio::async_initiate<decltype(boost::asio::use_awaitable), void(std::exception_ptr)>(
      initiate, boost::asio::use_awaitable);
}

void SimBackend::start_look(Look asked) {
  const auto look = std::make_shared<Look>(std::move(asked));
  looks_.push_back(look);
  if (life_->dead()) {
    bury();
    return;
  }
  life_->after(delay(), [this, look] {
    try {
      if (around_.home.reads_fail && around_.clock.steady_ms() < around_.home.disk_broken_until_ms && around_.random.chance(200))
        throw base::Broken("the simulated disk cannot be read");
      look->look(around_.home.database());
    } catch (...) {
      look->failure = std::current_exception();
    }
    look->look = nullptr;
    life_->after(delay(), [this, look] {
      looks_.remove(look);
      boost::asio::post(io_, [look] { look->done(look->failure); });
    });
  });
}

// --- waking ----------------------------------------------------------------------------------------------------------

void SimBackend::hear(bool control, bool log) {
  pending_.control |= control;
  pending_.log |= log;
  rung_.notify_all();
}

aio::Task<sqlite::Backend::Rung> SimBackend::rung() {
  while (!pending_.control && !pending_.log) co_await rung_.wait();
  co_return std::exchange(pending_, {});
}

// --- ending ----------------------------------------------------------------------------------------------------------

aio::Task<> SimBackend::close() {
  auto nothing = [](sqlite::Database&, sqlite::Commit&) { return true; };
  try {
    co_await writes().execute(nothing);
  } catch (const base::Broken&) {
    // What could not be written has been told to those who waited for it.
  }
}

void SimBackend::in_limbo(Batch& batch) {
  auto& db = around_.limbo;
  db.query("BEGIN").run();
  for (auto& operation : batch) {
    sqlite::Commit nowhere;
    try {
      operation.work(db, nowhere);
    } catch (...) {
      operation.failure = std::current_exception();
    }
  }
  db.query("ROLLBACK").run();
}

void SimBackend::bury() {
  const auto batch = std::make_shared<Batch>(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
  queue_.clear();
  in_limbo(*batch);
  unanswered_.push_back(batch);
  for (const auto& waiting : std::exchange(unanswered_, {}))
    boost::asio::post(io_, [waiting] {
      for (auto& operation : *waiting) operation.done(operation.failure);
    });
  for (const auto& look : std::exchange(looks_, {})) {
    if (look->look) look->look(around_.limbo);  // nothing is there
    boost::asio::post(io_, [look] { look->done(look->failure); });
  }
}

}  // namespace sim
