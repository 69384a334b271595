#include "store/sqlite/decisions.h"

#include <algorithm>

#include "base/json.h"
#include "store/sqlite/event_blocks.h"
#include "store/sqlite/reads.h"
#include "store/sqlite/rows.h"

namespace store::sqlite {

namespace json = boost::json;

namespace {

constexpr std::string_view kDecision = "decision";  // a fact: made while other calls of the pause still waited

base::Result<Run> find_paused(Database& db, RunNumber number) {
  auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES "WHERE r.id = ?");
  q.bind(number);
  if (!q.step()) return base::fail(base::Errc::not_found, "the run is gone");
  auto run = read_run(q);
  if (run.status != run::Status::paused) return base::fail(base::Errc::conflict, "the run is not paused");
  return run;
}

// Decisions belong to one pause, which its event names: a provider may use a call's id again.
base::Result<Pause> pause_of(Database& db, const Run& run) {
  const auto last = run::decode(select_last_event(db, run.number));
  const auto* paused = last ? std::get_if<run::RunPaused>(&last->payload) : nullptr;
  if (!paused) return base::fail(base::Errc::conflict, "run " + run.run_id + " does not say what it waits for");
  Pause pause{.calls = paused->calls, .decided = {}};
  auto q = db.query("SELECT data FROM fact WHERE run = ? AND type = ? ORDER BY id");
  q.bind(run.number).bind(kDecision);
  while (q.step()) {
    const auto data = base::parse_json(q.bytes(0));
    const auto* o = data ? data->if_object() : nullptr;
    if (!o || base::int_field(*o, "pause") != static_cast<std::int64_t>(run.event_count) - 1) continue;
    pause.decided.push_back(
        {base::text_or_empty(*o, "call_id"), base::bool_field(*o, "approved").value_or(false), base::text_or_empty(*o, "note")});
  }
  return pause;
}

const run::Decision* find(const std::vector<run::Decision>& decisions, const std::string& call_id) {
  const auto at = std::ranges::find(decisions, call_id, &run::Decision::call_id);
  return at == decisions.end() ? nullptr : &*at;
}

// What these decisions add to those that were made; or what is wrong with them.
base::Result<std::vector<run::Decision>> new_decisions(const Pause& pause, const std::vector<run::Decision>& decisions) {
  std::vector<run::Decision> added;
  for (const auto& one : decisions) {
    if (std::ranges::find(pause.calls, one.call_id, &run::ToolCall::id) == pause.calls.end())
      return base::fail(base::Errc::not_found, "no tool call '" + one.call_id + "' of this run waits for a decision");
    const auto* known = find(pause.decided, one.call_id);
    if (!known) known = find(added, one.call_id);
    if (!known)
      added.push_back(one);
    else if (known->approved != one.approved || known->note != one.note)
      return base::fail(base::Errc::conflict,
                        "tool call '" + one.call_id + "' has been " + (known->approved ? "approved" : "rejected") + " already");
  }
  return added;
}

void keep(Database& db, const Run& run, const std::vector<run::Decision>& decisions, std::int64_t now_ms) {
  for (const auto& one : decisions) {
    const json::object data{
        {"pause", run.event_count - 1}, {"call_id", one.call_id}, {"approved", one.approved}, {"note", one.note}};
    const auto text = base::to_text(data);
    db.query("INSERT INTO fact(run, at_ms, epoch, type, data) VALUES(?, ?, ?, ?, ?)")
        .bind(run.number)
        .bind(now_ms)
        .bind(run.epoch)
        .bind(kDecision)
        .bind(text)
        .run();
  }
}

void go_on(Database& db, Commit& commit, Run& run, std::vector<run::Decision> decisions, std::int64_t now_ms) {
  auto line = run::encode({now_ms, run::RunContinued{std::move(decisions)}}) + "\n";
  insert_block(db, commit,
               {.run = run.number,
                .session = run.session,
                .first = run.event_count,
                .count = 1,
                .lines = std::make_shared<const std::string>(std::move(line)),
                .status = run::Status::pending});
  db.query("UPDATE run SET status = ?, reason = '', updated_ms = ? WHERE id = ?")
      .bind(static_cast<std::int64_t>(run::Status::pending))
      .bind(now_ms)
      .bind(run.number)
      .run();
  run.status = run::Status::pending;
  run.reason.clear();
  run.updated_ms = now_ms;
  ++run.event_count;
  commit.control = true;
}

}  // namespace

base::Result<Pause> select_pause(Database& db, RunNumber number) {
  const auto run = find_paused(db, number);
  if (!run) return std::unexpected(run.error());
  return pause_of(db, *run);
}

base::Result<Decided> decide_calls(Database& db, Commit& commit, RunNumber number, const std::vector<run::Decision>& decisions,
                                   std::optional<std::uint64_t> index, std::int64_t now_ms) {
  auto run = find_paused(db, number);
  if (!run) return std::unexpected(run.error());
  if (index && *index != run->event_count) return base::fail(base::Errc::conflict, "the run has gone on and paused again");
  const auto pause = pause_of(db, *run);
  if (!pause) return std::unexpected(pause.error());
  auto added = new_decisions(*pause, decisions);
  if (!added) return std::unexpected(added.error());
  std::vector<run::Decision> all;  // in the order of the calls
  for (const auto& call : pause->calls) {
    const auto* one = find(pause->decided, call.id);
    if (!one) one = find(*added, call.id);
    if (one) all.push_back(*one);
  }
  const bool complete = all.size() == pause->calls.size();
  if (complete)
    go_on(db, commit, *run, std::move(all), now_ms);
  else
    keep(db, *run, *added, now_ms);
  return Decided{.run = std::move(*run), .goes_on = complete};
}

}  // namespace store::sqlite
