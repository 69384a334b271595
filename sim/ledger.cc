#include "sim/ledger.h"

#include <functional>

#include "run/event.h"
#include "sim/script.h"
#include "store/sqlite/reads.h"

namespace sim {

namespace sqlite = store::sqlite;

namespace {

bool is_type(std::string_view line, std::string_view type) {
  static constexpr std::string_view kHead = R"({"type":")";
  return line.starts_with(kHead) && line.substr(kHead.size()).starts_with(type) &&
         line.substr(kHead.size() + type.size()).starts_with('"');
}

bool ends_run(std::string_view line) { return is_type(line, "run_completed") || is_type(line, "run_error"); }

void for_each_line(std::string_view lines, const std::function<void(std::string_view)>& act) {
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    act(lines.substr(0, end));
    lines.remove_prefix(end + 1);
  }
}

std::string name_of(const Log& log) { return "run " + log.run_id + " (" + std::to_string(log.lines.size()) + " events)"; }

}  // namespace

std::string Ledger::story() const {
  std::string text;
  for (const auto& [number, log] : logs_) {
    text += "run " + std::to_string(number) + " " + log.run_id + " " + std::string(run::name(log.status)) + "\n";
    for (std::size_t i = 0; i < log.lines.size(); ++i)
      text += "  " + std::to_string(i) + " " + log.lines[i].substr(0, 160) + "\n";
  }
  return text;
}

void Ledger::violate(const char* promise, const std::string& evidence) {
  if (violated()) return;
  violation_ = std::string(promise) + ": " + evidence;
  trace_.note(clock_.steady_ms(), promise);
  ++trace_.counts.violations;
}

const Log* Ledger::find(store::RunNumber run) const {
  const auto at = logs_.find(run);
  return at == logs_.end() ? nullptr : &at->second;
}

// --- what was committed ----------------------------------------------------------------------------------------------

void Ledger::look(sqlite::Database& db, store::OwnerNumber by) {
  look_at_blocks(db, by);
  look_at_rows(db);
}

void Ledger::look_at_blocks(sqlite::Database& db, store::OwnerNumber by) {
  for (;;) {
    const auto growth = sqlite::select_growth(db, last_block_, last_block_);
    if (growth.empty()) return;
    for (const auto& piece : growth) {
      auto& log = logs_[piece.run];
      if (piece.slice.first < log.lines.size())
        check_sealed(log, piece.slice);
      else
        add_block(log, piece.slice, by);
    }
  }
}

void Ledger::check_sealed(const Log& log, const store::Slice& slice) {
  if (!log.ended) violate("P3", "an index of " + name_of(log) + " was used again: " + std::to_string(slice.first));
  auto index = slice.first;
  for_each_line(*slice.lines, [&](std::string_view line) {
    if (index >= log.lines.size() || log.lines[index] != line)
      violate("P3", "event " + std::to_string(index) + " of " + name_of(log) + " was rewritten");
    ++index;
  });
}

void Ledger::add_block(Log& log, const store::Slice& slice, store::OwnerNumber by) {
  if (slice.first != log.lines.size()) violate("P3", name_of(log) + " goes on with index " + std::to_string(slice.first));
  if (log.ended) violate("P4", name_of(log) + " goes on after its end");
  const bool decision = slice.count == 1 && is_type(*slice.lines, "run_continued");
  // Who gave a run up may append until another has it: a cancel that meets a pause.
  if (slice.first > 0 && !decision && log.holder != by)
    violate("P7", "owner " + std::to_string(by) + " appended to " + name_of(log) + ", which owner " + std::to_string(log.holder) +
                      " executes");
  for_each_line(*slice.lines, [&](std::string_view line) { add_line(log, line); });
  trace_.counts.events += slice.count;
}

void Ledger::add_line(Log& log, std::string_view line) {
  if (ends_run(line)) log.ended = true;
  if (is_type(line, "model_completed")) ++log.models_completed;
  if (is_type(line, "tool_started") || is_type(line, "tool_completed")) {
    const auto event = run::decode(line);
    if (!event) violate("P3", "an event of " + name_of(log) + " cannot be read");
    if (event && std::holds_alternative<run::ToolStarted>(event->payload))
      log.calls[std::get<run::ToolStarted>(event->payload).call.id].started = true;
    if (event && std::holds_alternative<run::ToolCompleted>(event->payload)) {
      auto& call = log.calls[std::get<run::ToolCompleted>(event->payload).call.id];
      if (std::exchange(call.completed, true)) violate("P6", name_of(log) + " has two results of one tool call");
    }
  }
  log.lines.emplace_back(line);
}

void Ledger::look_at_rows(sqlite::Database& db) {
  auto rows = db.query("SELECT r.id, r.run_id, r.status, r.owner, r.epoch, p.spec FROM run r JOIN run_spec p ON p.run = r.id");
  while (rows.step()) {
    auto& log = logs_[rows.integer(0)];
    if (log.run_id.empty()) {
      log.run_id = rows.text(1);
      log.plan = plan_of(rows.bytes(5));
      if (log.plan) by_plan_[*log.plan] = rows.integer(0);
      by_id_[log.run_id] = rows.integer(0);
      log.cancel_bound = bound_.contains(log.run_id);
      log.excused = excuse_all;
    }
    check_row(log, static_cast<run::Status>(rows.integer(2)), rows.integer(4));
    log.owner = rows.integer(3);
    if (log.owner) log.holder = log.owner;
  }
}

void Ledger::check_row(Log& log, run::Status status, std::int64_t epoch) {
  if (epoch < log.epoch) violate("P7", "the epoch of " + name_of(log) + " went back");
  if (epoch > log.epoch && log.epoch > 0) ++trace_.counts.take_overs;
  if (run::is_terminal(log.status) && status != log.status) violate("P4", name_of(log) + " ended twice");
  const bool changed = status != log.status;
  if (changed || epoch != log.epoch) trace_.note(clock_.steady_ms(), run::name(status).data(), -1, by_id_[log.run_id], epoch);
  log.status = status;
  log.epoch = epoch;
  if (log.ended != run::is_terminal(status))
    violate("P4", name_of(log) + ": the log and the status disagree on whether it has ended");
  if (changed && run::is_terminal(status)) check_end(log);
}

void Ledger::check_end(const Log& log) {
  if (log.cancel_bound && log.status != run::Status::cancelled)
    violate("P4", name_of(log) + " ended as " + std::string(run::name(log.status)) + " after an acknowledged cancel");
  const auto count = log.lines.size();
  const bool error = count > 0 && is_type(log.lines.back(), "run_error");
  const bool cancelled = count > 1 && is_type(log.lines[count - 2], "run_cancelled");
  const auto told = error ? run::Status::error : cancelled ? run::Status::cancelled : run::Status::completed;
  if (told != log.status)
    violate("P4", name_of(log) + ": its last event says " + std::string(run::name(told)) + ", its row " +
                      std::string(run::name(log.status)));
  if (commands_.any_lives(log.run_id)) violate("P8", "a command of " + name_of(log) + " goes on after its end");
  check_content(log);
}

// What a completed run says it said must be what its plan says, each word once.
void Ledger::check_content(const Log& log) {
  if (!log.plan) return;
  const auto last = run::decode(log.lines.back());
  if (!last) return violate("P3", "the last event of " + name_of(log) + " cannot be read");
  if (const auto* error = std::get_if<run::RunError>(&last->payload);
      error && error->cause == run::Cause::internal && !log.excused)
    violate("P9", name_of(log) + " failed by an internal error, and nothing had happened to it");
  const auto* end = std::get_if<run::RunCompleted>(&last->payload);
  if (!end) return;
  const auto all = plan_turns(*log.plan).size();
  if (log.status == run::Status::completed && log.models_completed != all)
    violate("P9", name_of(log) + " completed after " + std::to_string(log.models_completed) + " of " + std::to_string(all) +
                      " model calls");
  if (log.status == run::Status::completed ? end->content != plan_text(*log.plan, all)
                                           : !plan_text(*log.plan, all).starts_with(end->content))
    violate("P6", name_of(log) + " says: " + end->content);
}

void Ledger::look_at_all(sqlite::Database& db) {
  for (const auto& [number, log] : logs_) {
    std::vector<std::string> lines;
    for (;;) {
      const auto slice = sqlite::select_events(db, number, lines.size());
      if (!slice.count) break;
      if (slice.first != lines.size()) return violate("P3", name_of(log) + " has a gap at " + std::to_string(lines.size()));
      for_each_line(*slice.lines, [&lines](std::string_view line) { lines.emplace_back(line); });
    }
    if (lines != log.lines)
      violate("P3", name_of(log) + " reads back as " + std::to_string(lines.size()) + " events, or other ones");
    const auto row = sqlite::select_run(db, log.run_id);
    if (!row || row->number != number) violate("P1", name_of(log) + " is gone");
    if (row && row->event_count != log.lines.size())
      violate("P3", name_of(log) + " counts " + std::to_string(row->event_count) + " events");
  }
  for (const auto& [key, run_id] : by_key_)
    if (!by_id_.contains(run_id)) violate("P1", "run " + run_id + " of key " + key + " was acknowledged and is gone");
}

// --- what clients were told ------------------------------------------------------------------------------------------

void Ledger::shown(store::RunNumber run, std::uint64_t index, std::string_view line) {
  const auto* log = find(run);
  if (!log || index >= log->lines.size())
    return violate("P2", "a reader was shown event " + std::to_string(index) + " of run number " + std::to_string(run) +
                             ", which is not committed");
  if (log->lines[index] != line)
    violate("P2", "a reader was shown another event " + std::to_string(index) + " of " + name_of(*log));
}

void Ledger::acknowledged(const store::Run& run, const std::string& key) {
  const auto* log = find(run.number);
  if (!log || log->run_id != run.run_id) return violate("P1", "run " + run.run_id + " was acknowledged and is not committed");
  if (key.empty()) return;
  const auto [at, first] = by_key_.emplace(key, run.run_id);
  if (!first && at->second != run.run_id)
    violate("P1", "key " + key + " was answered with run " + at->second + " and then with " + run.run_id);
}

void Ledger::cancel_bound(const std::string& run_id) {
  bound_[run_id] = true;
  const auto at = by_id_.find(run_id);
  if (at == by_id_.end()) return;
  auto& log = logs_[at->second];
  log.cancel_bound = true;
  if (run::is_terminal(log.status) && log.status != run::Status::cancelled)
    violate("P4", name_of(log) + " had ended as " + std::string(run::name(log.status)) + " when its cancel was acknowledged");
}

// --- what the world was asked for ------------------------------------------------------------------------------------

void Ledger::model_called(store::OwnerNumber by, std::uint64_t plan, std::size_t turn) {
  const auto at = by_plan_.find(plan);
  if (at == by_plan_.end())
    return violate("P1", "a model was called for plan " + std::to_string(plan) + ", of which no run is committed");
  const auto& log = logs_[at->second];
  if (log.holder != by) return;  // a stalled executor that does not know yet; it can append nothing
  if (turn < log.models_completed)
    violate("P6", "model call " + std::to_string(turn) + " of " + name_of(log) + " was made again");
}

void Ledger::excuse(const std::string& run_id) {
  if (const auto at = by_id_.find(run_id); at != by_id_.end()) logs_[at->second].excused = true;
}

void Ledger::tool_called(store::OwnerNumber by, const std::string& run_id, const std::string& call_id, bool repeatable) {
  const auto at = by_id_.find(run_id);
  if (at == by_id_.end()) return violate("P1", "a tool was called for run " + run_id + ", which is not committed");
  auto& log = logs_[at->second];
  auto& call = log.calls[call_id];
  ++call.executions;
  trace_.note(clock_.steady_ms(), repeatable ? "look is called" : "pay or ask is called", -1, by, at->second);
  if (!call.started) violate("P6", "call " + call_id + " of " + name_of(log) + " was made before its start was durable");
  if (!repeatable && call.executions > 1) violate("P6", "call " + call_id + " of " + name_of(log) + " had its effect twice");
  if (log.holder == by && call.completed)
    violate("P6", "call " + call_id + " of " + name_of(log) + " was made again after its result");
}

}  // namespace sim
