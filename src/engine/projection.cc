#include "engine/projection.h"

#include <algorithm>
#include <unordered_set>

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/history.h"
#include "store/liveness.h"

namespace engine {

namespace {

constexpr std::size_t kBatchEventsMax = 1'024;
// What is new in an operation, or in a flow, is written at most so often: with many at once, most are written once, at their end.
constexpr std::int64_t kPatienceMs = 100;
// The files of an operation that has ended make way for what its end begins: a flow waits for that, and for no file.
constexpr std::int64_t kMakeWayMs = 10;
constexpr std::size_t kOperationsMax = 2'000;  // of a flow, all attempts
constexpr std::int64_t kRetryMs = 100;
constexpr std::int64_t kRetryMsMax = 5'000;
constexpr int kTriesAfterTheRun = 6;

}  // namespace

// One follow() under way; leave() finds it by the run.
struct Projection::Following {
  Following(Projection& owner_, const store::Run& r)
      : owner(owner_),
        run(r.number),
        run_id(r.run_id),
        flow(r.parent_run_id.empty() || r.group_id == r.run_id ? "" : r.group_id),
        reader(owner.logs_, run),
        leaving(owner.logs_.io()) {
    owner.following_[run] = this;
  }
  ~Following() {
    // A later follow() of the same run may have taken the place.
    if (const auto at = owner.following_.find(run); at != owner.following_.end() && at->second == this)
      owner.following_.erase(at);
    owner.ended_.notify_all();
  }
  Following(const Following&) = delete;
  Following& operator=(const Following&) = delete;

  // All of an operation is written: its flow need not see to it.
  void note_written() const {
    for (const auto& [number, other] : owner.following_)
      if (other->run_id == flow) other->written.insert(run);
  }

  Projection& owner;
  store::RunNumber run;
  const std::string run_id;
  const std::string flow;   // of an operation: the run whose directory it is in; else ""
  LiveLogs::Reader reader;  // from the first moment, so that what is committed meanwhile stays in memory
  aio::Notifier leaving;
  bool left = false, has_made_way = false;
  std::unordered_set<store::RunNumber> written;  // of a flow: its operations
};

// What is projected.
struct Projection::Target {
  Following& following;
  store::Run run;
  std::int64_t patience_ms;
  std::unique_ptr<ProjectedFiles> files;
};

Projection::Projection(store::Store& store, LiveLogs& logs, aio::Time& time, aio::Offload& files, std::string runs_directory)
    : store_(store),
      logs_(logs),
      time_(time),
      files_(files),
      runs_directory_(std::move(runs_directory)),
      self_(store::this_process()),
      ended_(logs.io()) {}

void Projection::leave(store::RunNumber run) {
  const auto at = following_.find(run);
  if (at == following_.end()) return;
  at->second->left = true;
  at->second->reader.wake();
  at->second->leaving.notify_all();
}

aio::Task<> Projection::follow(store::Run run, store::Slice known) {
  auto following = std::make_unique<Following>(*this, run);
  return follow_until_left(std::move(run), std::move(known), std::move(following));
}

aio::Task<> Projection::follow_until_left(store::Run run, store::Slice known, std::unique_ptr<Following> following) {
  Target target{*following, run, following->flow.empty() ? 0 : kPatienceMs, nullptr};
  co_await be_patient(target);
  auto spec = run::decode_spec(run.spec);
  if (!spec) throw base::Broken("the run's spec cannot be read: " + spec.error().message);
  if (spec->flow)
    target.patience_ms = kPatienceMs, target.files = flow_files(runs_directory_, std::move(run), std::move(*spec), self_);
  else
    target.files = agent_files(runs_directory_, run, std::move(*spec), self_, co_await past_messages(store_, run));
  try {
    if (known.count) add(target, known);
    co_await project(target);
  } catch (const DirectoryGone& gone) {
    base::log::warning("a run directory was removed; it is not kept any more",
                       {{"run", target.run.run_id}, {"reason", gone.what()}});
  }
}

aio::Task<> Projection::project(Target& target) {
  auto& files = *target.files;
  co_await persistently(target, files.begin(time_.wall_ms()));
  while (!files.ended()) {
    const auto added = co_await gather(target);
    if (added && added < kBatchEventsMax && !files.ended()) {
      co_await be_patient(target);
      co_await gather(target);
    }
    if (files.ended() || target.following.left) break;
    if (auto work = files.write(time_.wall_ms()))
      co_await persistently(target, std::move(work));
    else
      co_await target.following.reader.wait(files.next_index());
  }
  if (!files.ended()) co_await drain(target);
  co_await make_way(target);
  if (target.run.kind == store::kKindFlow || target.run.kind == store::kKindFanout) co_await operations_of(target.run.run_id);
  // A run that was removed meanwhile has nothing to tell any more; its directory must not come back.
  const auto row = co_await store_.find_run(target.run.run_id);
  if (!row) co_return;
  auto rest = files.write(time_.wall_ms());
  // Neither is it ours to tell what a later attempt of another process does.
  if (row->epoch != target.run.epoch) co_return co_await persistently(target, std::move(rest));
  co_await persistently(target, [rest = std::move(rest), end = files.finish(*row, time_.wall_ms())] {
    if (rest) rest();
    end();
  });
  target.following.note_written();
}

// Lets more come, but not after the run's end here.
aio::Task<> Projection::be_patient(Target& target) {
  if (target.patience_ms > 0 && !target.following.left)
    co_await aio::wait_for(time_, target.following.leaving, std::chrono::milliseconds(target.patience_ms));
  if (target.following.left) co_await make_way(target);
}

aio::Task<> Projection::make_way(Target& target) {
  if (!target.following.flow.empty() && !std::exchange(target.following.has_made_way, true))
    co_await time_.sleep(std::chrono::milliseconds(kMakeWayMs));
}

// A flow syncs the files of its operations at its end: those that have ended are written by then.
aio::Task<> Projection::operations_of(const std::string& flow) {
  const auto is_due = [&flow](const auto& entry) { return entry.second->left && entry.second->flow == flow; };
  while (std::ranges::any_of(following_, is_due)) co_await ended_.wait();
  const auto at = std::ranges::find_if(following_, [&flow](const auto& entry) { return entry.second->run_id == flow; });
  if (at == following_.end()) co_return;
  // Whoever wrote before may have died between the end of one and its last file. Then those after it in its branch are written
  // again too: the branch's file tells of the last.
  const auto written = at->second->written;
  std::unordered_set<store::SessionNumber> behind;
  for (auto& run : co_await store_.descendants(at->first, kOperationsMax)) {
    if (run.group_id != flow || !run::is_terminal(run.status) || following_.contains(run.number)) continue;
    if (written.contains(run.number) && !behind.contains(run.session)) continue;
    behind.insert(run.session);
    auto following = follow(run);
    leave(run.number);
    following_.at(run.number)->has_made_way = true;
    try {
      co_await std::move(following);
    } catch (const base::Broken& error) {
      base::log::warning("the files of an operation are not complete", {{"run", run.run_id}, {"reason", error.what()}});
    }
  }
}

std::size_t Projection::add(Target& target, const store::Slice& slice) {
  std::size_t added = 0;
  std::string_view rest = *slice.lines;
  for (auto index = slice.first; !rest.empty(); ++index) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (index < target.files->next_index()) continue;  // a block may begin before the cursor
    const auto event = run::decode(line);
    if (!event) throw base::Broken("event " + std::to_string(index) + " of the run cannot be read: " + event.error().message);
    target.files->add(index, *event);
    ++added;
  }
  return added;
}

// All that is committed, up to a bound: the files are written once for many small commits. How many events that was.
aio::Task<std::size_t> Projection::gather(Target& target) {
  std::size_t added = 0;
  while (added < kBatchEventsMax && !target.files->ended()) {
    const auto block = co_await target.following.reader.read(target.files->next_index());
    if (!block) break;
    added += add(target, block->slice);
  }
  co_return added;
}

// The same straight from the store, to the end of the log: nobody may tell of growth any more.
aio::Task<> Projection::drain(Target& target) {
  for (;;) {
    const auto slice = co_await store_.read(target.run.number, target.files->next_index());
    if (!slice.count) co_return;
    add(target, slice);
    co_await persistently(target, target.files->write(time_.wall_ms()));
  }
}

// A full disk passes; what waits for it costs nothing, because the log holds everything.
aio::Task<> Projection::persistently(const Target& target, ProjectedFiles::Work work) {
  if (!work) co_return;
  auto delay = kRetryMs;
  for (int tries_after = 0;; delay = std::min(2 * delay, kRetryMsMax)) {
    std::string broken;
    try {
      auto attempt = [&work] { work(); };
      co_await files_.run(std::move(attempt));
    } catch (const base::Broken& error) {
      broken = error.what();
    }
    if (broken.empty()) co_return;
    if (target.following.left && ++tries_after > kTriesAfterTheRun) throw base::Broken(broken);
    base::log::warning("a run directory cannot be written; trying again", {{"run", target.run.run_id}, {"reason", broken}});
    co_await time_.sleep(std::chrono::milliseconds(delay));
  }
}

}  // namespace engine
