#include "engine/background_agent.h"

#include <algorithm>

#include "base/failpoint.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/git_worktree.h"
#include "engine/hand_over.h"
#include "engine/harness_environment.h"
#include "engine/harness_execution.h"
#include "engine/harness_task.h"

namespace engine {

namespace {
constexpr std::int64_t kStartMs = 120'000;     // the command that starts an agent
constexpr std::int64_t kListMs = 30'000;       // the registry: the service that answers may be starting
constexpr std::int64_t kStopMs = 30'000;
constexpr std::int64_t kFindMs = 30'000;       // until a started agent is in the registry
constexpr std::int64_t kPollMs = 1'000;        // an agent at work is looked at so often
constexpr std::size_t kOutputBytes = 4UL << 20;
}  // namespace

BackgroundAgentExecution::BackgroundAgentExecution(Deps& deps, aio::TaskGroup& tasks, store::Lease lease)
    : deps_(deps), tasks_(tasks), lease_(std::move(lease)), changed_(deps.io) {
  cancel_requested_ = lease_.run.cancel_requested;
}

void BackgroundAgentExecution::cancel() {
  cancel_requested_ = true;
  changed_.notify_all();
}

void BackgroundAgentExecution::hand_over() {
  stopping_ = true;
  changed_.notify_all();
}

aio::Task<Ending> BackgroundAgentExecution::run() {
  auto spec = run::decode_spec(lease_.run.spec);
  if (!spec || !spec->harness) throw base::Broken("the run's spec cannot be read");
  spec_ = std::move(*spec);
  harness_ = harness::find(spec_.harness->harness);
  if (!harness_ || !harness_->background()) throw base::Broken("no harness '" + spec_.harness->harness + "' with background agents is known to this program");
  state_ = co_await fold_harness(deps_.store, lease_.run, lease_.run.event_count);
  log_ = std::make_unique<RunLog>(deps_.io, deps_.time, deps_.store, deps_.counters, tasks_, lease_.run, state_.next_index,
                                  [this](const run::Event& event) { run::apply(state_, event); });
  if (!state_.started) log_->add(run::RunStarted{spec_.model, spec_.provider});
  auto end = cancel_requested_ ? std::nullopt : co_await start();
  if (log_->failure()) co_return Ending::lost;
  if (cancel_requested_) {
    // The agent is the harness's own, and goes on where it was started already.
    const auto text = "Run " + lease_.run.run_id + " was cancelled";
    end = {.events = {run::RunCancelled{"", text}, run::RunCompleted{}}, .status = run::Status::cancelled, .reason = std::string(run::kReasonCancelled)};
  }
  if (!end) {
    co_await log_->flush();
    released_ = co_await engine::hand_over(deps_, lease_.run);
    co_return Ending::handed_over;
  }
  co_await deps_.children->kill_all(lease_.run.run_id, lease_.run.epoch);
  auto done = co_await log_->end(*end);
  if (!done && done.error().code == base::Errc::cancel_requested) {
    const auto text = "Run " + lease_.run.run_id + " was cancelled";
    *end = {.events = {run::RunCancelled{"", text}, run::RunCompleted{}}, .status = run::Status::cancelled, .reason = std::string(run::kReasonCancelled)};
    done = co_await log_->end(*end);
  }
  if (done) lease_.run.status = *end->status;
  co_return done ? Ending::finished : Ending::lost;
}

aio::Task<> BackgroundAgentExecution::fail(std::string what) {
  if (!log_) {
    state_.next_index = lease_.run.event_count;
    log_ = std::make_unique<RunLog>(deps_.io, deps_.time, deps_.store, deps_.counters, tasks_, lease_.run, state_.next_index,
                                    [this](const run::Event& event) { run::apply(state_, event); });
  }
  log_->add_fact("internal_error", base::to_text(boost::json::object{{"message", what}}));
  co_await log_->end(run::failure(run::Cause::internal, "Internal error"));
}

harness::Start BackgroundAgentExecution::start_options() const {
  const auto& h = *spec_.harness;
  return {.prompt = spec_.input,
          .message_id = run::harness_message_id(lease_.run.run_id, "prompt"),
          .session_id = h.session_id,
          .resumes = h.resumes,
          .forks = false,
          .keeps_options = h.resumes && !was_absent_,
          .model = spec_.model,
          .effort = spec_.effort,
          .title = h.title,
          .directory = spec_.work_directory,
          .skip_permissions = h.skip_permissions,
          .attended = true};
}

aio::Task<std::optional<run::AppendEvents>> BackgroundAgentExecution::start() {
  const auto& h = *spec_.harness;
  if (const auto placed = co_await make_worktree(deps_, lease_.run, spec_); !placed) co_return run::failure(run::Cause::harness_failed, placed.error().message);
  if (!state_.process) {
    if (!(h.resumes ? co_await make_room() : co_await stop_stray())) {
      if (is_cut()) co_return std::nullopt;
      co_return run::failure(run::Cause::harness_failed, why_);
    }
    if (is_cut()) co_return std::nullopt;
    log_->add(run::HarnessStarted{.process = 1,
                                  .session_id = h.session_id,
                                  .resumes = h.resumes,
                                  .prompt = spec_.input,
                                  .message_id = run::harness_message_id(lease_.run.run_id, "prompt")});
  }
  if (const auto flushed = co_await log_->flush(); !flushed) co_return std::nullopt;
  base::failpoint("harness.before_start");
  const auto started = co_await command("process 1", harness_->background()->start(start_options()), true, kStartMs);
  base::failpoint("background.after_start");
  const auto id = harness_->background()->started_id(started.text);
  // A banner is a start, whatever the exit code says; without one the registry is asked all the same where the command's end is unknown.
  if (id.empty() && !started.words.empty() && !started.words.starts_with("lost")) co_return run::failure(run::Cause::harness_failed, started.words);
  const auto agent = co_await find_started(id);
  if (is_cut()) co_return std::nullopt;
  if (!agent) co_return run::failure(run::Cause::harness_failed, why_);
  log_->add(run::HarnessSession{.session_id = agent->session_id});
  if (const auto flushed = co_await log_->flush(); !flushed) co_return std::nullopt;
  base::failpoint("harness.after_session");
  co_await bind_session(deps_.store, lease_.run, h, state_);
  co_return result(*agent);
}

// A message reaches an agent that is there only by bringing it back: it is let come to rest first, and is stopped then. A plain resume
// is never asked for of one that is there.
aio::Task<bool> BackgroundAgentExecution::make_room() {
  for (;;) {
    const auto agents = co_await list();
    if (!agents) co_return false;
    const auto agent = std::ranges::find(*agents, spec_.harness->session_id, &harness::Registered::session_id);
    was_absent_ = agent == agents->end();
    if (was_absent_) co_return true;
    const bool is_starting = agent->pid == 0 && agent->state == "working" && deps_.time.wall_ms() - agent->started_ms < 15'000;
    if (agent->pid == 0 && !is_starting) co_return true;
    if (agent->pid > 0 && agent->status == "idle") {
      const auto stopped = co_await command("stop " + std::to_string(lease_.run.epoch), harness_->background()->stop(agent->id), false, kStopMs);
      if (!stopped.ok) why_ = "the agent could not be stopped to be told: " + stopped.words;
      if (!stopped.ok) co_return false;
      // On a busy machine it is still there for a moment, and a resume would make a copy of it: looked at again.
    }
    if (is_cut()) co_return false;
    co_await aio::wait_for(deps_.time, changed_, std::chrono::milliseconds(kPollMs));
    if (is_cut()) co_return false;
  }
}

// An agent of an earlier start that was told as failed, because its session could not be found out, does not work beside the next one.
aio::Task<bool> BackgroundAgentExecution::stop_stray() {
  const auto& h = *spec_.harness;
  if (h.task.empty() || h.title.ends_with("…")) co_return true;  // a title that was cut may be another task's too
  const auto task = co_await deps_.store.find_assignment(h.task);
  if (!task || task->starts < 2 || !task->session_id.empty()) co_return true;
  const auto agents = co_await list();
  if (!agents) co_return false;
  for (const auto& one : *agents) {
    const bool is_there = one.pid > 0 || one.state == "working";
    if (!is_there || one.name != h.title || one.directory != spec_.work_directory || one.started_ms < task->created_ms) continue;
    const auto stopped = co_await command("stop " + one.id + " " + std::to_string(lease_.run.epoch), harness_->background()->stop(one.id), false, kStopMs);
    if (stopped.ok) continue;
    why_ = "an agent of an earlier start could not be stopped: " + stopped.words;
    co_return false;
  }
  co_return true;
}

aio::Task<std::optional<std::vector<harness::Registered>>> BackgroundAgentExecution::list() {
  const auto call = "list " + std::to_string(lease_.run.epoch) + " " + std::to_string(++listed_);
  const auto output = co_await command(call, harness_->background()->list(), false, kListMs);
  auto agents = output.ok ? harness_->background()->listed(output.text) : std::nullopt;
  if (!agents) why_ = "the registry of background agents could not be asked: " + (output.words.empty() ? "its answer is none" : output.words);
  co_return agents;
}

// The agent as the registry knows it. Without an id: by its title and place, if it was started by this run.
aio::Task<std::optional<harness::Registered>> BackgroundAgentExecution::find_started(const std::string& id) {
  const auto until = deps_.time.steady_ms() + kFindMs;
  do {
    const auto agents = co_await list();
    if (!agents) continue;
    const auto ours = [&](const harness::Registered& one) {
      if (!id.empty()) return one.id == id;
      return one.name == spec_.harness->title && one.directory == spec_.work_directory && one.started_ms >= lease_.run.created_ms;
    };
    const auto found = std::ranges::find_if(*agents, ours);
    if (found != agents->end() && found->state == "failed" && found->pid == 0) {
      why_ = "the agent failed as it was started; see `" + std::string(harness_->program()) + " logs " + found->id + "`";
      co_return std::nullopt;
    }
    if (found != agents->end() && !found->session_id.empty()) co_return *found;
    why_ = "the agent " + id + " is not in the registry";
    co_await aio::wait_for(deps_.time, changed_, std::chrono::milliseconds(kPollMs));
  } while (deps_.time.steady_ms() < until && !is_cut());
  co_return std::nullopt;
}

aio::Task<BackgroundAgentExecution::Output> BackgroundAgentExecution::command(std::string call, std::vector<std::string> argv, bool daemonises, std::int64_t limit_ms) {
  const process::ChildKey key{.run_id = lease_.run.run_id, .call_id = std::move(call), .epoch = lease_.run.epoch};
  process::ChildSpec child;
  child.argv = std::move(argv);
  child.directory = spec_.work_directory;
  child.daemonises = daemonises;
  child.wall_ms = limit_ms;
  give_environment(child, deps_, lease_.run, *spec_.harness);
  const auto directory = deps_.children->directory(key);
  const auto ended = co_await deps_.children->run(key, std::move(child));
  Output output;
  if (!ended) {
    output.words = ended.error().message;
    co_return output;
  }
  output.text = process::read_from(directory.file(process::kStdoutFile), 0, kOutputBytes);
  output.ok = ended->cause == process::Cause::exited && ended->exit_code == 0;
  if (output.ok) co_return output;
  output.words = base::trim(process::read_tail(directory.file(process::kStderrFile), 12, 2'000).text);
  if (ended->cause != process::Cause::exited || output.words.empty())
    output.words = std::string(process::name(ended->cause)) + (ended->message.empty() ? "" : ": " + ended->message) + (output.words.empty() ? "" : ": " + output.words);
  co_return output;
}

run::AppendEvents BackgroundAgentExecution::result(const harness::Registered& agent) const {
  const auto& h = *spec_.harness;
  const auto what = h.task.empty() ? h.title : h.task;
  const auto text = h.resumes ? "Resumed " + what + " in background (" + agent.id + " · session " + agent.session_id + ")"
                              : "Spawned " + what + " in background (session " + agent.session_id + ") — " + agent.id + " · " + (agent.name.empty() ? h.title : agent.name);
  return {.events = {run::ContentCompleted{}, run::RunCompleted{text, "", spec_.provider, {}}},
          .status = run::Status::completed,
          .reason = std::string(run::kReasonCompleted)};
}

}  // namespace engine
