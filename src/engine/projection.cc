#include "engine/projection.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/history.h"
#include "store/liveness.h"

namespace engine {

namespace {

constexpr std::size_t kBatchEventsMax = 1'024;
constexpr std::int64_t kRetryMs = 100;
constexpr std::int64_t kRetryMsMax = 5'000;
constexpr int kTriesAfterTheRun = 6;

}  // namespace

// One follow() under way; leave() finds it by the run.
struct Projection::Following {
  Following(Projection& owner_, store::RunNumber run_) : owner(owner_), run(run_) { owner.following_[run] = this; }
  ~Following() {
    // A later follow() of the same run may have taken the place.
    if (const auto at = owner.following_.find(run); at != owner.following_.end() && at->second == this)
      owner.following_.erase(at);
  }
  Following(const Following&) = delete;
  Following& operator=(const Following&) = delete;

  Projection& owner;
  store::RunNumber run;
  bool left = false;
};

// What is projected.
struct Projection::Target {
  const Following& following;
  store::Run run;
  std::unique_ptr<ProjectedFiles> files;
};

Projection::Projection(store::Store& store, LiveLogs& logs, aio::Time& time, aio::Offload& files, std::string runs_directory)
    : store_(store),
      logs_(logs),
      time_(time),
      files_(files),
      runs_directory_(std::move(runs_directory)),
      self_(store::this_process()) {}

void Projection::leave(store::RunNumber run) {
  const auto at = following_.find(run);
  if (at == following_.end()) return;
  at->second->left = true;
  logs_.tick();
}

aio::Task<> Projection::follow(store::Run run) {
  auto following = std::make_unique<Following>(*this, run.number);
  return follow_until_left(std::move(run), std::move(following));
}

aio::Task<> Projection::follow_until_left(store::Run run, std::unique_ptr<Following> following) {
  auto spec = run::decode_spec(run.spec);
  if (!spec) throw base::Broken("the run's spec cannot be read: " + spec.error().message);
  Target target{*following, run, nullptr};
  if (spec->flow)
    target.files = flow_files(runs_directory_, std::move(run), std::move(*spec), self_);
  else
    target.files = agent_files(runs_directory_, run, std::move(*spec), self_, co_await past_messages(store_, run));
  try {
    co_await project(target);
  } catch (const DirectoryGone& gone) {
    base::log::warning("a run directory was removed; it is not kept any more",
                       {{"run", target.run.run_id}, {"reason", gone.what()}});
  }
}

aio::Task<> Projection::project(Target& target) {
  auto& files = *target.files;
  co_await persistently(target, files.begin(time_.wall_ms()));
  {
    LiveLogs::Reader reader(logs_, target.run.number);
    while (!files.ended()) {
      if (co_await gather(target, reader)) {
        co_await persistently(target, files.write(time_.wall_ms()));
        continue;
      }
      if (target.following.left) break;
      co_await reader.wait(files.next_index());
    }
  }
  if (target.following.left) co_await drain(target);
  // A run that was removed meanwhile has nothing to tell any more; its directory must not come back.
  const auto row = co_await store_.find_run(target.run.run_id);
  if (!row) co_return;
  // Neither is it ours to tell what a later attempt of another process does.
  if (row->epoch != target.run.epoch) co_return;
  co_await persistently(target, files.finish(*row, time_.wall_ms()));
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

// All that is committed, up to a bound: the files are written once for many small commits. False: there was nothing.
aio::Task<bool> Projection::gather(Target& target, LiveLogs::Reader& reader) {
  std::size_t added = 0;
  while (added < kBatchEventsMax && !target.files->ended()) {
    const auto block = co_await reader.read(target.files->next_index());
    if (!block) break;
    added += add(target, block->slice);
  }
  co_return added > 0;
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
