#include "engine/harness_execution.h"

#include <algorithm>

#include "base/failpoint.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/git_worktree.h"
#include "engine/hand_over.h"
#include "engine/harness_environment.h"
#include "engine/harness_events.h"
#include "engine/harness_notify.h"
#include "engine/harness_task.h"

namespace engine {

namespace limits = base::limits;

namespace {
constexpr std::int64_t kLookMs = 25, kLookMsMax = 250;  // how often a process' output is looked at; less and less while it is silent
constexpr std::int64_t kMessagesMs = 200;   // ... and new messages for it
constexpr std::int64_t kQueueMax = 10'000;
constexpr std::int64_t kCheckMsMax = 1'800'000;
constexpr std::int64_t kStartMsDefault = 120'000, kIdleMsDefault = 900'000, kAfterResultMsDefault = 30'000;
}  // namespace

aio::Task<run::HarnessState> fold_harness(store::Store& store, const store::Run& run, std::uint64_t until) {
  auto state = run::initial_harness(run.run_id, run.began_ms);
  if (run.first_kept > 0) throw base::Broken("the run's events were given up by retention");
  while (state.next_index < until) {
    const auto slice = co_await store.read(run.number, state.next_index);
    if (!slice.count) break;
    std::string_view rest = *slice.lines;
    for (auto index = slice.first; !rest.empty(); ++index) {
      const auto end = rest.find('\n');
      const auto event = run::decode(rest.substr(0, end));
      rest.remove_prefix(end + 1);
      if (index < state.next_index) continue;
      if (!event) throw base::Broken("event " + std::to_string(index) + " of the run cannot be read: " + event.error().message);
      run::apply(state, *event);
    }
  }
  co_return state;
}

HarnessExecution::HarnessExecution(Deps& deps, aio::TaskGroup& tasks, Executor& executor, store::Lease lease)
    : deps_(deps), tasks_(tasks), executor_(executor), lease_(std::move(lease)), changed_(deps.io) {
  cancel_requested_ = lease_.run.cancel_requested;
}

std::unique_ptr<RunLog> HarnessExecution::open_log() {
  auto log = std::make_unique<RunLog>(deps_.io, deps_.time, deps_.store, deps_.counters, tasks_, lease_.run, state_.next_index,
                                      [this](const run::Event& event) { run::apply(state_, event); });
  log->on_failure([this] { changed_.notify_all(); });
  return log;
}

void HarnessExecution::cancel() {
  cancel_requested_ = true;
  changed_.notify_all();
}

void HarnessExecution::hand_over() {
  stopping_ = true;
  changed_.notify_all();
}

aio::Task<Ending> HarnessExecution::run() {
  auto spec = run::decode_spec(lease_.run.spec);
  if (!spec || !spec->harness) throw base::Broken("the run's spec cannot be read");
  spec_ = std::move(*spec);
  harness_ = harness::find(spec_.harness->harness);
  if (!harness_) throw base::Broken("no harness '" + spec_.harness->harness + "' is known to this program");
  if (!deps_.children || !deps_.blocking) throw base::Broken("this process starts no coding agents");
  state_ = co_await fold_harness(deps_.store, lease_.run, lease_.run.event_count);
  co_await find_session();
  log_ = open_log();
  if (lease_.taken_over && state_.process)
    log_->add_fact("taken_over", base::to_text(boost::json::object{{"events", state_.next_index}, {"died", lease_.died}}));
  const auto placed = co_await make_worktree(deps_, lease_.run, spec_);
  // An end that meets a cancel is the loop's to decide again.
  if (!placed && !cancel_requested_ && !co_await append(run::failure(run::Cause::harness_failed, placed.error().message))) co_return Ending::lost;
  const auto ending = co_await loop();
  process_.reset();
  if (ending == Ending::handed_over) {
    co_await log_->flush();
    base::failpoint("handover.before_release");
    released_ = co_await engine::hand_over(deps_, lease_.run);
  }
  co_return ending;
}

// Of an agent's turn, which names no session of the program: the one that the turn before it was in, else a new one. The same comes out
// of it whoever looks, since a run's past does not change.
aio::Task<> HarnessExecution::find_session() {
  auto& own = *spec_.harness;
  if (!own.session_id.empty()) co_return;
  const auto past = co_await deps_.store.history(lease_.run.session, lease_.run.history_through);
  for (auto leg = past.rbegin(); leg != past.rend() && own.session_id.empty(); ++leg) {
    const auto spec = run::decode_spec(leg->run.spec);
    if (leg->run.kind != store::kKindHarness || leg->run.first_kept > 0 || !spec || !spec->harness || spec->harness->harness != own.harness) continue;
    own.session_id = (co_await fold_harness(deps_.store, leg->run, leg->until)).session_id;
  }
  own.resumes = !own.session_id.empty();
  if (own.resumes) co_return;
  if (harness_->capabilities().pins_id) own.session_id = run::harness_message_id(lease_.run.run_id, "session");
  // There is no other place for it that all programs have.
  if (!spec_.system_prompt.empty()) spec_.input = spec_.system_prompt + "\n\n" + spec_.input;
}

aio::Task<> HarnessExecution::fail(std::string what) {
  if (!log_) {
    state_.next_index = lease_.run.event_count;
    log_ = open_log();
  }
  log_->add_fact("internal_error", base::to_text(boost::json::object{{"message", what}}));
  if (deps_.children) co_await deps_.children->kill_all(lease_.run.run_id, lease_.run.epoch);
  const auto done = co_await log_->end(run::failure(run::Cause::internal, "Internal error"));
  if (done || done.error().code != base::Errc::cancel_requested) co_return;
  const auto text = "Run " + lease_.run.run_id + " was cancelled";
  co_await log_->end({.events = {run::RunCancelled{"", text}, run::RunCompleted{}}, .status = run::Status::cancelled, .reason = std::string(run::kReasonCancelled)});
}

aio::Task<Ending> HarnessExecution::loop() {
  for (;;) {
    if (log_->failure()) co_return Ending::lost;
    auto action = run::decide(state_, spec_, co_await look());
    if (std::holds_alternative<run::Idle>(action)) co_return Ending::finished;
    const auto* events = std::get_if<run::AppendEvents>(&action);
    if (stopping_ && !(events && events->status) && !cancel_requested_) co_return Ending::handed_over;
    if (!co_await perform(std::move(action))) co_return Ending::lost;
  }
}

aio::Task<bool> HarnessExecution::perform(run::HarnessAction action) {
  if (const auto* events = std::get_if<run::AppendEvents>(&action)) co_return co_await append(*events);
  // What the log says is due must be durable before it is done.
  if (const auto flushed = co_await log_->flush(); !flushed) co_return false;
  if (const auto* end = std::get_if<run::EndProcess>(&action)) co_await end_process(end->why);
  if (std::holds_alternative<run::FollowProcess>(action)) co_await follow();
  if (std::holds_alternative<run::RunCheck>(action)) co_await check();
  if (const auto* wait = std::get_if<run::WaitUntil>(&action)) {
    const auto left = std::clamp<std::int64_t>(wait->at_ms - deps_.time.wall_ms(), 1, kMessagesMs);
    co_await aio::wait_for(deps_.time, changed_, std::chrono::milliseconds(left));
  }
  co_return !log_->failure().has_value();
}

aio::Task<bool> HarnessExecution::append(const run::AppendEvents& events) {
  if (!events.status && events.tells.empty()) {
    for (const auto& payload : events.events) {
      log_->add(payload);
      if (!std::holds_alternative<run::HarnessStarted>(payload)) continue;
      process_.reset();
      asks_.clear();  // the process before asked, and is gone: nobody is to be asked for it
      checked_.reset();
      asks_.clear();  // nobody waits for an answer any more
    }
    co_await tell(events);
    co_return true;
  }
  if (events.status && run::is_terminal(*events.status)) {
    // Nothing that its processes left behind outlives the run.
    co_await deps_.children->kill_all(lease_.run.run_id, lease_.run.epoch);
    base::failpoint("harness.before_end");
  }
  const auto done = co_await log_->end(events);
  if (done) {
    if (events.status) lease_.run.status = *events.status;
    co_await tell(events);
    if (run::is_terminal(lease_.run.status)) co_await tidy_worktree(deps_, lease_.run, spec_);
    co_return true;
  }
  if (done.error().code == base::Errc::cancel_requested) cancel_requested_ = true;
  co_return done.error().code == base::Errc::cancel_requested || done.error().code == base::Errc::conflict;
}

// Those who asked to be told, once what they are told of is durable.
aio::Task<> HarnessExecution::tell(const run::AppendEvents& events) {
  auto occasion = occasion_of(events, state_);
  if (spec_.harness->notify.empty() || !occasion) co_return;
  if (const auto durable = co_await log_->flush(); durable) co_await notify_of(executor_, lease_.run, spec_, *occasion);
}

aio::Task<run::HarnessSituation> HarnessExecution::look() {
  run::HarnessSituation now{.now_ms = deps_.time.wall_ms(), .cancel_requested = cancel_requested_, .cancel_reason = "Run " + lease_.run.run_id + " was cancelled"};
  const bool is_ending = !state_.running && state_.process && !state_.wait_until_ms;
  const auto steady = deps_.time.steady_ms();
  // Before the run ends it looks once more; what is left for it after that makes the store refuse the end.
  if (is_ending || steady - looked_ms_ >= kMessagesMs) {
    looked_ms_ = steady;
    for (const auto& notice : co_await deps_.store.notices(lease_.run.session))
      if (auto message = message_of(notice)) now.notices.emplace_back(notice.number, *std::move(message));
  }
  if (!state_.process && deps_.harness_runs_max > 0) now.ahead = co_await count_ahead();
  now.asks = undecided();
  now.idles = process_ && state_.running && handled_ && !turn_open_ && !state_.turn && run::all_heard(state_) && asks_.empty();
  now.check = checked_;
  if (is_ending) now.task_done = co_await is_done(deps_.store, *spec_.harness);
  co_return now;
}

// The first so many of the home's live runs may work; how many of those before this one are too many. Background agents are not
// Outlast's to count.
aio::Task<std::int64_t> HarnessExecution::count_ahead() {
  store::RunFilter filter;
  filter.component_type = store::kKindHarness;
  filter.live_only = true;
  filter.ascending = true;
  filter.limit = kQueueMax;
  std::int64_t before = 0;
  for (const auto& run : (co_await deps_.store.list_runs(filter)).items)
    if (const auto spec = run::decode_spec(run.spec); run.number < lease_.run.number && spec && spec->harness && !spec->harness->background) ++before;
  co_return std::max<std::int64_t>(0, before - deps_.harness_runs_max + 1);
}

std::vector<run::ToolCall> HarnessExecution::undecided() const {
  std::vector<run::ToolCall> calls;
  for (const auto& call : asks_)
    if (!run::find_decision(state_, call.id)) calls.push_back(call);
  return calls;
}

aio::Task<> HarnessExecution::follow() {
  if (!process_) {
    base::failpoint("harness.before_start");
    process_ = std::make_unique<HarnessProcess>(deps_, lease_.run, spec_, *harness_, *state_.process);
    asks_.clear();
    given_.clear();
    refused_.clear();
    unsent_.clear();
    turn_open_ = began_ = handled_ = heard_prompt_ = false;
    result_ms_ = 0;
    process_->begin(tasks_);
  }
  const auto before = state_.next_index;
  co_await take_output();
  if (process_->is_over()) co_return co_await record_end("");
  co_await give_input();
  if (const auto why = overdue(); !why.empty()) co_return co_await end_process(why);
  if (state_.next_index != before || stopping_ || cancel_requested_) co_return;
  co_await process_->wait(std::chrono::milliseconds(std::clamp(process_->quiet_ms() / 10, kLookMs, kLookMsMax)));
}

aio::Task<> HarnessExecution::take_output() {
  for (const auto& line : co_await process_->read()) {
    for (const auto& told : line.told) note(told);
    if (line.end <= state_.output) continue;  // its events are in the log: an executor before this one had read so far
    auto events = events_of(line.told, state_, deps_.time.wall_ms());
    for (std::size_t i = 0; i < events.size(); ++i) log_->add(std::move(events[i]), i + 1 == events.size() ? line.end : 0);
    hear_prompt();
  }
  if (state_.named && std::exchange(bound_, state_.process->process) != state_.process->process)
    co_await name_session();
  co_await log_->room();
}

aio::Task<> HarnessExecution::name_session() {
  if (const auto durable = co_await log_->flush(); !durable) co_return;
  base::failpoint("harness.after_session");
  co_await bind_session(deps_.store, lease_.run, *spec_.harness, state_);
}

// What is true of the process besides the log; the same lines say it again to the next executor.
void HarnessExecution::note(const harness::Told& told) {
  if (std::holds_alternative<harness::TurnBegan>(told)) turn_open_ = began_ = true;
  if (std::holds_alternative<harness::TurnEnded>(told)) turn_open_ = false;
  if (std::holds_alternative<harness::HandledMessage>(told) && !began_) handled_ = true;
  if (const auto* asks = std::get_if<harness::Asks>(&told)) asks_.push_back(asks->call);
  if (const auto* refused = std::get_if<harness::Refused>(&told)) refused_.insert(refused->message_id);
  if (const auto* reply = std::get_if<harness::Reply>(&told)) put(reply->key, reply->line);
  // A program that takes no messages while it works has its prompt as soon as it works.
  const bool works = std::holds_alternative<harness::TurnBegan>(told) || std::holds_alternative<harness::SessionNamed>(told);
  if (works && !process_->command().takes_input) heard_prompt_ = true;
}

// Once for each key; "" is no line (yet).
void HarnessExecution::put(const std::string& key, std::string line) {
  if (!line.empty() && given_.insert(key).second) unsent_.push_back({key, std::move(line)});
}

// Before the word that ends the turn: what is heard after it begins another one.
void HarnessExecution::hear_prompt() {
  if (!heard_prompt_ || state_.turn || run::all_heard(state_)) return;
  const auto prompt = state_.process->message_id;
  const auto unheard = [&prompt](const run::HarnessMessage& message) { return message.id == prompt && !message.heard; };
  if (std::ranges::any_of(state_.messages, unheard)) log_->add(run::HarnessHeard{prompt});
}

aio::Task<> HarnessExecution::give_input() {
  const auto& prompt = state_.process->message_id;
  hear_prompt();
  if (!process_->command().takes_input || process_->input_ended()) co_return;
  for (const auto& first : process_->command().first) put(first.key, first.line);
  for (const auto& decision : state_.decided)
    put("decision " + decision.call_id, process_->decoder().answer(decision.call_id, decision.approved, decision.note));
  // One that knew its prompt before names no session until it is told something else.
  const bool listens = state_.named || handled_;
  for (const auto& message : state_.messages) {
    if (message.heard || message.id == prompt || !listens) continue;
    auto line = process_->decoder().message(message.id, message.text);
    // Another try is another line, or none: what was for the turn that had just ended was refused.
    const auto tries = refused_.contains(message.id) ? " " + base::sha256_hex(line).substr(0, 16) : std::string();
    put("message:" + message.id + tries, std::move(line));
  }
  // What could not be sent, to a process that has only begun, is sent with the next look.
  while (!unsent_.empty() && co_await process_->send(unsent_.front().key, unsent_.front().line)) unsent_.erase(unsent_.begin());
  // It has said its last word, and nothing is owed to it.
  if (process_->command().stays && state_.turn && !turn_open_ && run::all_heard(state_)) {
    result_ms_ = deps_.time.steady_ms();
    co_await process_->end_input();
  }
}

// Which deadline has passed; "": none.
std::string HarnessExecution::overdue() const {
  const auto& own = spec_.harness->limits;
  const auto quiet = process_->quiet_ms();
  const auto over = [](std::int64_t ms, std::int64_t limit, std::int64_t usual) { return ms > (limit > 0 ? limit : usual); };
  if (result_ms_) return over(deps_.time.steady_ms() - result_ms_, own.after_result_ms, kAfterResultMsDefault) ? "after_result" : "";
  if (!state_.named) return over(quiet, own.start_ms, kStartMsDefault) ? "start" : "";
  // A tool may take its time in silence.
  return state_.open_calls.empty() && over(quiet, own.idle_ms, kIdleMsDefault) ? "idle" : "";
}

aio::Task<> HarnessExecution::end_process(std::string why) {
  if (!process_) {
    process_ = std::make_unique<HarnessProcess>(deps_, lease_.run, spec_, *harness_, *state_.process);
    process_->begin(tasks_);
  }
  co_await process_->kill();
  while (!process_->is_over() && !log_->failure()) {
    co_await take_output();
    if (!process_->is_over()) co_await process_->wait(std::chrono::milliseconds(kLookMs));
  }
  co_await record_end(std::move(why));
}

// What it left running is ended with it.
aio::Task<> HarnessExecution::record_end(std::string why) {
  co_await process_->kill();
  const auto& ended = process_->ended();
  run::HarnessEnded event{.process = process_->number(), .signal = ended.signal};
  if (ended.exit_code) event.exit_code = *ended.exit_code;
  event.why = why.empty() ? std::string(process::name(ended.cause)) : std::move(why);
  if (!state_.turn) event.words = process_->last_words();
  event.used = process_->decoder().open_usage();
  log_->add(std::move(event));
  base::failpoint("harness.after_process");
}

// The command that says whether the work counts: once for each process that has ended.
aio::Task<> HarnessExecution::check() {
  process::ChildKey key{.run_id = lease_.run.run_id, .call_id = "check " + std::to_string(state_.process->process), .epoch = lease_.run.epoch};
  process::ChildSpec child;
  child.argv = spec_.harness->check;
  child.directory = spec_.work_directory;
  give_environment(child, deps_, lease_.run, *spec_.harness);
  child.wall_ms = kCheckMsMax;
  child.output_bytes_max = static_cast<std::int64_t>(limits::kChildOutputBytesMax);
  const auto directory = deps_.children->directory(key);
  const auto ended = co_await deps_.children->run(key, std::move(child));
  run::CheckResult result;
  result.passed = ended && ended->cause == process::Cause::exited && ended->exit_code == 0;
  for (const auto name : {process::kStdoutFile, process::kStderrFile}) result.output += process::read_tail(directory.file(name), 40, 4'000).text;
  if (ended && ended->cause == process::Cause::spawn_failed) result.output = ended->message;
  checked_ = std::move(result);
}

}  // namespace engine
