#include "engine/projection.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/history.h"
#include "engine/projection_lines.h"
#include "engine/projection_snapshot.h"
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

// What is projected where, and the fold so far.
struct Projection::Target {
  Target(const std::string& runs_directory, const Following& following_, store::Run run_, run::Spec spec_)
      : following(following_),
        run(std::move(run_)),
        spec(std::move(spec_)),
        stream_of{run.run_id, run.session_id},
        directory(runs_directory, run.group_id),
        branch_name(branch_file_name(run.session_id)),
        stream(directory, branch_name, run.run_id),
        state(run::initial_state(spec, run.created_ms)) {}

  const Following& following;
  store::Run run;
  run::Spec spec;
  StreamOf stream_of;
  RunDirectory directory;
  std::string branch_name;
  StreamBuffer stream;
  std::vector<run::Message> past;
  run::AgentState state;
  bool ended() const { return run::is_terminal(state.status) || state.status == run::Status::paused; }
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
  Target target(runs_directory_, *following, std::move(run), std::move(*spec));
  try {
    co_await project(target);
  } catch (const DirectoryGone& gone) {
    base::log::warning("a run directory was removed; it is not kept any more",
                       {{"run", target.run.run_id}, {"reason", gone.what()}});
  }
}

aio::Task<> Projection::project(Target& target) {
  auto make = [&target] { target.directory.make(); };
  co_await persistently(target, make);
  co_await write_manifest(target, target.run);
  target.past = co_await past_messages(store_, target.run);
  co_await write_branch(target);
  {
    LiveLogs::Reader reader(logs_, target.run.number);
    while (!target.ended()) {
      auto batch = co_await gather(target, reader);
      if (!batch.lines.empty()) {
        co_await write_batch(target, std::move(batch));
        continue;
      }
      if (target.following.left) break;
      co_await reader.wait(target.state.next_index);
    }
  }
  if (target.following.left) co_await drain(target);
  // A run that was removed meanwhile has nothing to tell any more; its directory must not come back.
  const auto row = co_await store_.find_run(target.run.run_id);
  if (!row) co_return;
  // Neither is it ours to tell what a later attempt of another process does.
  if (row->epoch != target.run.epoch) co_return;
  auto sync = [&target] { target.stream.sync(); };
  co_await persistently(target, sync);
  co_await write_branch(target);
  co_await write_manifest(target, *row);
}

void Projection::add(Target& target, Batch& batch, const store::Slice& slice) {
  std::string_view rest = *slice.lines;
  for (auto index = slice.first; !rest.empty(); ++index) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (index < target.state.next_index) continue;  // a block may begin before the cursor
    const auto event = run::decode(line);
    if (!event) throw base::Broken("event " + std::to_string(index) + " of the run cannot be read: " + event.error().message);
    run::apply(target.state, *event);
    if (batch.lines.empty()) batch.first = index;
    batch.lines.push_back(stream_line(target.stream_of, index, *event, target.state.status));
    const auto& payload = event->payload;
    batch.step_ended |=
        std::holds_alternative<run::ModelCompleted>(payload) || std::holds_alternative<run::ToolCompleted>(payload);
  }
}

// All that is committed, up to a bound: the file is written once for many small commits.
aio::Task<Projection::Batch> Projection::gather(Target& target, LiveLogs::Reader& reader) {
  Batch batch;
  while (batch.lines.size() < kBatchEventsMax && !target.ended()) {
    const auto block = co_await reader.read(target.state.next_index);
    if (!block) break;
    add(target, batch, block->slice);
  }
  co_return batch;
}

// The same straight from the store, to the end of the log: nobody may tell of growth any more.
aio::Task<> Projection::drain(Target& target) {
  for (;;) {
    const auto slice = co_await store_.read(target.run.number, target.state.next_index);
    if (!slice.count) co_return;
    Batch batch;
    add(target, batch, slice);
    co_await write_batch(target, std::move(batch));
  }
}

aio::Task<> Projection::write_batch(Target& target, Batch batch) {
  const bool step_ended = batch.step_ended;
  auto append = [&target, batch = std::move(batch)] { target.stream.append(batch.first, batch.lines); };
  co_await persistently(target, std::move(append));
  if (step_ended && !target.ended()) co_await write_branch(target);
}

aio::Task<> Projection::write_branch(Target& target) {
  const auto snapshot = branch_snapshot(target.run, target.spec, target.past, target.state, time_.wall_ms());
  auto replace = [&target, content = indented(snapshot)] { target.directory.replace_branch(target.branch_name, content); };
  co_await persistently(target, std::move(replace));
}

aio::Task<> Projection::write_manifest(Target& target, store::Run run) {
  ManifestChange change{
      .run = std::move(run), .spec = target.spec, .process = self_, .directory = target.directory.path(), .command = {}};
  auto tell = [&target, change = std::move(change)] { target.directory.tell(change); };
  co_await persistently(target, std::move(tell));
}

// A full disk passes; what waits for it costs nothing, because the log holds everything.
template <class Work>
aio::Task<> Projection::persistently(const Target& target, Work work) {
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
