#include "engine/run_log.h"

#include <boost/asio/post.hpp>

#include "base/limits.h"
#include "base/log.h"

namespace engine {

namespace limits = base::limits;

namespace {
constexpr std::int64_t kBrokenRetryMs = 200;
constexpr std::int64_t kBrokenRetryMsMax = 5'000;
// So many turns of the loop an event waits for what comes of the same moment. With two, a model's last words, how it ended and the
// end of its run are one append (1.4 commits fewer for each run of a wide flow); more of them win nothing.
constexpr int kTurnsBeforeAppend = 2;
}  // namespace

RunLog::RunLog(boost::asio::io_context& io, aio::Time& time, store::Store& store, Counters& counters, aio::TaskGroup& tasks,
               const store::Run& run, std::uint64_t next_index, Fold fold)
    : time_(time),
      store_(store),
      counters_(counters),
      tasks_(tasks),
      run_(run.number),
      epoch_(run.epoch),
      fold_(std::move(fold)),
      first_(next_index),
      drained_(io) {}

void RunLog::added(std::size_t bytes_before) {
  ASSERT(lines_.size() - bytes_before <= limits::kEventBytesMax + 4096);
  lines_ += '\n';
  ++count_;
  ++counters_.events_appended;
  if (!held_) begin_pump();
}

void RunLog::begin_pump() {
  if (!pumping_ && !failure_ && (count_ || !facts_.empty())) pumping_ = tasks_.spawn("append", pump());
}

void RunLog::release() {
  held_ = false;
  begin_pump();
}

void RunLog::add(run::Payload payload, std::uint64_t output) {
  const run::Event event{time_.wall_ms(), std::move(payload), output};
  const auto before = lines_.size();
  lines_ += run::encode(event);
  fold_(event);
  added(before);
}

void RunLog::add_text(std::string_view delta) {
  const auto now = time_.wall_ms();
  const auto before = lines_.size();
  run::append_text_delta(lines_, now, delta);
  fold_(run::Event{now, run::TextDelta{std::string(delta)}});
  added(before);
}

void RunLog::add_fact(std::string type, std::string data) {
  facts_.push_back({time_.wall_ms(), epoch_, std::move(type), std::move(data)});
}

void RunLog::tells(const std::vector<std::string>& tasks) { told_tasks_.insert(told_tasks_.end(), tasks.begin(), tasks.end()); }

store::Append RunLog::next_append() {
  store::Append append;
  append.run = run_;
  append.epoch = epoch_;
  append.first = first_;
  append.lines = std::exchange(lines_, {});
  append.count = std::exchange(count_, 0);
  append.facts = std::exchange(facts_, {});
  append.told_tasks = std::exchange(told_tasks_, {});
  append.now_ms = time_.wall_ms();
  return append;
}

aio::Task<base::Result<>> RunLog::append_until_done(store::Append append) {
  for (auto delay = kBrokenRetryMs;; delay = std::min(2 * delay, kBrokenRetryMsMax)) {
    bool broken = false;
    try {
      auto copy = append;
      co_return co_await store_.append(std::move(copy));
    } catch (const base::Broken& error) {
      base::log::error("an append failed; the run waits and tries again", {{"reason", error.what()}});
      broken = true;
    }
    if (broken) co_await time_.sleep(std::chrono::milliseconds(delay));
  }
}

void RunLog::failed(base::Error error) {
  failure_ = std::move(error);
  if (on_failure_) on_failure_();
}

aio::Task<> RunLog::pump() {
  const auto waits = [this] { return !failure_ && (count_ || !facts_.empty()); };
  while (waits()) {
    for (int turn = 0; turn < kTurnsBeforeAppend; ++turn) co_await boost::asio::post(boost::asio::use_awaitable);
    while (appending_ && waits()) co_await drained_.wait();
    if (!waits()) break;  // end() took it along
    appending_ = true;
    auto append = next_append();
    first_ += append.count;
    ++counters_.appends;
    const auto done = co_await append_until_done(std::move(append));
    appending_ = false;
    if (!done) failed(done.error());
    drained_.notify_all();
  }
  pumping_ = false;
  drained_.notify_all();
}

aio::Task<> RunLog::room() {
  while (lines_.size() > limits::kAppenderBufferBytesMax / 8 && !failure_) co_await drained_.wait();
}

// The pump is a task of its own: who lets go of the log waits for it.
aio::Task<> RunLog::rest() {
  while (pumping_ || appending_) co_await drained_.wait();
}

aio::Task<base::Result<>> RunLog::flush() {
  begin_pump();
  co_await rest();
  if (failure_) co_return std::unexpected(*failure_);
  co_return base::Result<>{};
}

aio::Task<base::Result<>> RunLog::end(const run::AppendEvents& events) {
  while (appending_) co_await drained_.wait();
  if (failure_) {
    co_await rest();
    co_return std::unexpected(*failure_);
  }
  appending_ = true;
  auto append = next_append();
  auto before = append;  // what was added before, should the events be refused
  append.status = events.status;
  append.reason = events.reason;
  append.tells = events.tells;
  for (const auto& payload : events.events) {
    append.lines += run::encode({append.now_ms, payload});
    append.lines += '\n';
    ++append.count;
  }
  const auto now = append.now_ms;
  ++counters_.appends;
  auto done = co_await append_until_done(std::move(append));
  const bool refused = !done && (done.error().code == base::Errc::cancel_requested || done.error().code == base::Errc::conflict);
  first_ += before.count;
  if (refused && (before.count || !before.facts.empty() || !before.told_tasks.empty())) {
    if (auto kept = co_await append_until_done(std::move(before)); !kept) done = std::move(kept);
  }
  appending_ = false;
  if (!done && !(refused && (done.error().code == base::Errc::cancel_requested || done.error().code == base::Errc::conflict)))
    failed(done.error());
  if (done) {
    first_ += events.events.size();
    counters_.events_appended += events.events.size();
    for (const auto& payload : events.events) fold_({now, payload});
  }
  drained_.notify_all();
  co_await rest();
  co_return done;
}

}  // namespace engine
