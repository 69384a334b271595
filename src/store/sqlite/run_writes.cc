#include "store/sqlite/run_writes.h"

#include "base/limits.h"
#include "base/mutation.h"
#include "store/sqlite/event_blocks.h"
#include "store/sqlite/notice_writes.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/turns.h"

namespace store::sqlite {

namespace limits = base::limits;
using run::Status;

namespace {

// The deliberate fault: no look at the epoch, and the head from the store, or the next index would save the day.
constexpr bool kUnfenced = base::mutated(base::Mutation::skip_fencing);

std::optional<Run> run_by_id(Database& db, const std::string& run_id) {
  auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES "WHERE r.run_id = ?");
  q.bind(run_id);
  if (!q.step()) return std::nullopt;
  return read_run(q);
}

std::optional<Run> run_by_number(Database& db, RunNumber number) {
  auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES "WHERE r.id = ?");
  q.bind(number);
  if (!q.step()) return std::nullopt;
  return read_run(q);
}

std::optional<Run> run_by_key(Database& db, const std::string& key) {
  auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES "WHERE r.launch_key = ?");
  q.bind(key);
  if (!q.step()) return std::nullopt;
  return read_run(q);
}

Launched known(Run run, const Launch& launch, bool by_key) {
  Launched launched{.run = std::move(run), .known = Known::retry, .by_key = by_key};
  if (launched.run.component_id != launch.component_id || launched.run.kind != launch.kind)
    launched.known = Known::other_component;
  else if (launched.run.request_digest != launch.request_digest)
    launched.known = Known::other_request;
  return launched;
}

// Whether so many runs wait for an executor already. A walk along the index of live runs, made only where there is a backlog.
bool backlog_is_full(Database& db, std::size_t waiting_max) {
  auto q = db.query("SELECT 1 FROM run INDEXED BY run_live WHERE owner = 0 AND status < 2 LIMIT 1 OFFSET ?");
  q.bind(static_cast<std::int64_t>(waiting_max) - 1);
  return q.step();
}

// Whether so many tasks of the session are live that are awaited as this one is: a call that is waited for must not find its place
// taken by what goes on in the background. Those that have ended do not count.
bool tasks_are_full(Database& db, const Launch& launch) {
  auto q = db.query(
      "SELECT 1 FROM run r INDEXED BY run_session WHERE r.session = (SELECT id FROM session WHERE session_id = ?) AND r.kind = 'tool' "
      "AND r.status < 3 AND r.awaited = ? LIMIT 1 OFFSET ?");
  q.bind(launch.session_id).bind(std::int64_t{launch.awaited}).bind(static_cast<std::int64_t>(launch.tasks_max) - 1);
  return q.step();
}

struct SessionRow {
  SessionNumber number;
  std::int64_t ended_count;
};

SessionRow session_of(Database& db, const Launch& launch) {
  {
    auto q = db.query("SELECT id, ended_count FROM session WHERE session_id = ?");
    q.bind(launch.session_id);
    if (q.step()) {
      const SessionRow found{q.integer(0), q.integer(1)};
      db.query("UPDATE session SET updated_ms = ?, name = CASE WHEN name = '' THEN ? ELSE name END WHERE id = ?")
          .bind(launch.now_ms)
          .bind(launch.session_name)
          .bind(found.number)
          .run();
      return found;
    }
  }
  db.query(
        "INSERT INTO session(session_id, name, component_type, component_id, user_id, state, metadata, created_ms, updated_ms) "
        "VALUES(?, ?, ?, ?, ?, '', '', ?, ?)")
      .bind(launch.session_id)
      .bind(launch.session_name)
      .bind(launch.kind == kKindHarness ? std::string_view("agent") : std::string_view(launch.kind))  // whoever does its turns, it is a conversation with an agent
      .bind(launch.component_id)
      .bind(launch.user_id)
      .bind(launch.now_ms)
      .bind(launch.now_ms)
      .run();
  return {db.last_insert_id(), 0};
}

void insert_run_row(Database& db, const Launch& launch, const SessionRow& session, OwnerNumber owner, bool cancelled) {
  const bool claimed = owner != 0;
  db.query(
        "INSERT INTO run(run_id, kind, component_id, component_name, session, user_id, parent_run_id, group_id, origin, status, "
        "reason, cancel_requested, epoch, owner, history_through, launch_key, created_ms, updated_ms, awaited, in_turn) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, nullif(?, ''), ?, ?, ?, ?)")
      .bind(launch.run_id)
      .bind(launch.kind)
      .bind(launch.component_id)
      .bind(launch.component_name)
      .bind(session.number)
      .bind(launch.user_id)
      .bind(launch.parent_run_id)
      .bind(launch.group_id)
      .bind(launch.origin)
      .bind(static_cast<std::int64_t>(claimed ? Status::running : Status::pending))
      .bind(std::int64_t{cancelled})
      .bind(std::int64_t{claimed})
      .bind(owner)
      .bind(session.ended_count)
      .bind(launch.launch_key)
      .bind(launch.now_ms)
      .bind(launch.now_ms)
      .bind(std::int64_t{launch.awaited})
      .bind(std::int64_t{launch.in_turn})
      .run();
}

std::optional<Owner> owner_by_number(Database& db, OwnerNumber number) {
  auto q = db.query("SELECT host, boot_id, pid, pid_start, expires_ms FROM owner WHERE id = ?");
  q.bind(number);
  if (!q.step()) return std::nullopt;
  return Owner{number, q.text(0), q.text(1), q.integer(2), q.integer(3), q.integer(4)};
}

// A run reaches its end: the row, the session's count of ended runs, and the lease, in the transaction of the last event.
void end_run(Database& db, Commit& commit, const Append& append, SessionNumber session) {
  db.query("UPDATE session SET ended_count = ended_count + 1, updated_ms = ? WHERE id = ?").bind(append.now_ms).bind(session).run();
  db.query(
        "UPDATE run SET status = ?, reason = ?, owner = 0, updated_ms = ?, ended_ms = ?, "
        "ended_ordinal = (SELECT ended_count FROM session WHERE id = ?) WHERE id = ?")
      .bind(static_cast<std::int64_t>(*append.status))
      .bind(append.reason)
      .bind(append.now_ms)
      .bind(append.now_ms)
      .bind(session)
      .bind(append.run)
      .run();
  notice_end(db, append.run, append.now_ms);
  if (somebody_waits(db, session)) commit.control = true;
  commit.ended.push_back(append.run);
}

void insert_facts(Database& db, const Append& append) {
  for (const auto& fact : append.facts)
    db.query("INSERT INTO fact(run, at_ms, epoch, type, data) VALUES(?, ?, ?, ?, ?)")
        .bind(append.run)
        .bind(fact.at_ms)
        .bind(append.epoch)
        .bind(fact.type)
        .bind(fact.data)
        .run();
}

}  // namespace

base::Result<Launched> launch_run(Database& db, Commit& commit, const Launch& launch) {
  if (!launch.launch_key.empty())
    if (auto found = run_by_key(db, launch.launch_key)) return known(std::move(*found), launch, true);
  if (auto found = run_by_id(db, launch.run_id)) {
    if (!launch.id_is_callers) return base::fail(base::Errc::busy, "the drawn run id exists; draw again");
    return known(std::move(*found), launch, false);
  }
  const auto turns = launch.in_turn ? look_at_turns(db, launch.session_id) : TurnsOfSession{.exists = true};
  const auto owner = turns.live ? 0 : launch.claim_for;
  const bool full = (launch.turns_max && turns.live >= static_cast<std::int64_t>(launch.turns_max)) ||
                    (!owner && launch.waiting_max && backlog_is_full(db, launch.waiting_max)) ||
                    (launch.tasks_max && tasks_are_full(db, launch));
  if (full || !turns.exists) {
    Launched refused;
    refused.known = full ? Known::no_room : Known::no_session;
    return refused;
  }
  const auto session = session_of(db, launch);
  db.query("DELETE FROM cancel_intent WHERE run_id = ?").bind(launch.run_id).run();
  insert_run_row(db, launch, session, owner, db.changes() > 0);
  const auto number = db.last_insert_id();
  db.query("INSERT INTO run_spec(run, spec, digest) VALUES(?, ?, ?)").bind(number).bind(launch.spec).bind(launch.request_digest).run();
  if (launch.first_event_count && owner == launch.claim_for)  // it need not wait
    insert_block(db, commit,
                 {.run = number,
                  .session = session.number,
                  .first = 0,
                  .count = launch.first_event_count,
                  .lines = std::make_shared<const std::string>(launch.first_events),
                  .status = std::nullopt});
  if (owner)
    commit.taken.push_back({number, 1});
  else
    commit.control = true;
  commit.launched = true;
  return Launched{.run = *run_by_number(db, number), .known = Known::fresh};
}

base::Result<Lease> claim_run(Database& db, Commit& commit, RunNumber number, OwnerNumber claimant, OwnerNumber from,
                              const Peers& peers, std::int64_t now_ms) {
  const auto found = run_by_number(db, number);
  if (!found) return base::fail(base::Errc::not_found, "the run is gone");
  if (run::is_terminal(found->status)) return base::fail(base::Errc::already_finished, "the run has ended");
  if (found->status == Status::paused) return base::fail(base::Errc::conflict, "the run is paused");
  if (found->owner && found->owner != from) {
    const auto owner = owner_by_number(db, found->owner);
    if (owner && peers.lives(*owner, now_ms)) return base::fail(base::Errc::busy, "another process executes the run");
  }
  if (waits_its_turn(db, number)) return base::fail(base::Errc::busy, "an earlier run of its session has not ended");
  if (found->epoch >= limits::kAttemptsMax) return base::fail(base::Errc::busy, "the run has had too many attempts");
  if (found->epoch == 0) begin_turn(db, number, now_ms);
  db.query("UPDATE run SET owner = ?, epoch = epoch + 1, status = ?, reason = '', updated_ms = ? WHERE id = ?")
      .bind(claimant)
      .bind(static_cast<std::int64_t>(Status::running))
      .bind(now_ms)
      .bind(number)
      .run();
  commit.taken.push_back({number, found->epoch + 1});
  return Lease{.run = *run_by_number(db, number), .taken_over = found->epoch > 0, .died = found->owner != 0 && found->owner != from};
}

void release_run(Database& db, Commit& commit, RunNumber number, std::int64_t epoch, const std::string& reason, std::int64_t now_ms) {
  db.query("UPDATE run SET owner = 0, status = ?, reason = ?, updated_ms = ? WHERE id = ? AND epoch = ? AND status = ?")
      .bind(static_cast<std::int64_t>(Status::pending))
      .bind(reason)
      .bind(now_ms)
      .bind(number)
      .bind(epoch)
      .bind(static_cast<std::int64_t>(Status::running))
      .run();
  commit.given_up.push_back({number, epoch});
  commit.control = true;
}

base::Result<> append_events(Database& db, Commit& commit, const Append& append, const std::shared_ptr<const std::string>& lines) {
  // Whoever finds the run lost must not go on renewing a lease for it.
  const auto refuse = [&](base::Errc code, std::string message) {
    commit.given_up.push_back({append.run, append.epoch});
    return base::fail(code, std::move(message));
  };
  SessionNumber session = 0;
  {
    auto q = db.query("SELECT epoch, status, cancel_requested, session, kind, run_id FROM run WHERE id = ?");
    q.bind(append.run);
    if (!q.step()) return refuse(base::Errc::lease_lost, "the run was removed");
    const bool only_facts = !append.count && !append.status;
    if (run::is_terminal(static_cast<Status>(q.integer(1))) && !only_facts) return refuse(base::Errc::already_finished, "the run has ended");
    if (!kUnfenced && q.integer(0) != append.epoch)
      return refuse(base::Errc::lease_lost, "another process has taken the run over");
    const bool completing = append.status && *append.status != Status::cancelled;
    if (completing && q.integer(2)) return base::fail(base::Errc::cancel_requested, "the run was cancelled");
    // Whoever left a message for a live run may rely on it: it has done its work when it has taken them all.
    if (append.status == Status::completed && q.bytes(4) == kKindHarness && message_waits(db, q.text(5)))
      return base::fail(base::Errc::conflict, "a message was left for the run");
    session = q.integer(3);
  }
  if (!all_wait(db, append.tells)) return base::fail(base::Errc::conflict, "a notice has been told already");
  if (append.count) {
    const auto first = kUnfenced ? static_cast<std::uint64_t>(next_index(db, append.run)) : append.first;
    if (next_index(db, append.run) != static_cast<std::int64_t>(first))
      return refuse(base::Errc::lease_lost, "the log has grown without this process");
    insert_block(
        db, commit,
        {.run = append.run, .session = session, .first = first, .count = append.count, .lines = lines, .status = append.status});
  }
  insert_facts(db, append);
  delete_told(db, append);
  if (!append.status) return {};
  commit.given_up.push_back({append.run, append.epoch});
  if (run::is_terminal(*append.status)) {
    end_run(db, commit, append, session);
  } else {
    db.query("UPDATE run SET status = ?, reason = ?, owner = 0, updated_ms = ? WHERE id = ?")
        .bind(static_cast<std::int64_t>(*append.status))
        .bind(append.reason)
        .bind(append.now_ms)
        .bind(append.run)
        .run();
  }
  return {};
}

CancelAnswer cancel_run(Database& db, Commit& commit, const std::string& run_id, std::int64_t now_ms) {
  const auto found = run_by_id(db, run_id);
  commit.cancelled = !found || !run::is_terminal(found->status);
  if (!found) {
    db.query("INSERT OR REPLACE INTO cancel_intent(run_id, at_ms) VALUES(?, ?)").bind(run_id).bind(now_ms).run();
    db.query("DELETE FROM cancel_intent WHERE run_id IN (SELECT run_id FROM cancel_intent ORDER BY at_ms DESC LIMIT -1 OFFSET ?)")
        .bind(static_cast<std::int64_t>(limits::kCancelIntentsMax))
        .run();
    return {.outcome = CancelOutcome::intent_stored};
  }
  if (run::is_terminal(found->status)) return {.outcome = CancelOutcome::already_finished, .status = found->status};
  // A paused run has no executor: it becomes claimable, so that whoever comes ends it.
  db.query("UPDATE run SET cancel_requested = 1, status = CASE status WHEN 2 THEN 0 ELSE status END WHERE id = ?").bind(found->number).run();
  commit.control = true;
  const bool waiting = found->status == Status::pending;
  return {.outcome = waiting ? CancelOutcome::intent_stored : CancelOutcome::accepted, .status = found->status};
}

base::Result<> remove_finished_run(Database& db, RunNumber number) {
  const auto found = run_by_number(db, number);
  if (!found) return base::fail(base::Errc::not_found, "the run is gone");
  if (!run::is_terminal(found->status)) return base::fail(base::Errc::conflict, "the run is " + std::string(run::name(found->status)) + "; cancel it first");
  db.query("DELETE FROM event_block WHERE run = ?").bind(number).run();
  db.query("DELETE FROM fact WHERE run = ?").bind(number).run();
  db.query("DELETE FROM run_spec WHERE run = ?").bind(number).run();
  db.query("DELETE FROM notice WHERE task = ?").bind(found->run_id).run();
  db.query("DELETE FROM run WHERE id = ?").bind(number).run();
  return {};
}

std::int64_t trim_finished_events(Database& db, std::int64_t ended_before_ms) {
  std::vector<RunNumber> due;
  {
    auto q = db.query(
        "SELECT id FROM run r WHERE ended_ms > 0 AND ended_ms < ? AND EXISTS(SELECT 1 FROM event_block b WHERE b.run = r.id) LIMIT 100");
    q.bind(ended_before_ms);
    while (q.step()) due.push_back(q.integer(0));
  }
  for (const auto number : due) {
    db.query("UPDATE run SET first_kept = ? WHERE id = ?").bind(next_index(db, number)).bind(number).run();
    db.query("DELETE FROM event_block WHERE run = ?").bind(number).run();
  }
  return static_cast<std::int64_t>(due.size());
}

OwnerNumber insert_owner(Database& db, const Owner& self, std::int64_t now_ms) {
  // Owners that hold nothing and whose lease is long over are forgotten; their numbers are never used again.
  db.query("DELETE FROM owner WHERE expires_ms < ? AND NOT EXISTS(SELECT 1 FROM run WHERE status < 2 AND run.owner = owner.id)")
      .bind(now_ms - 3'600'000)
      .run();
  db.query("INSERT INTO owner(host, boot_id, pid, pid_start, expires_ms) VALUES(?, ?, ?, ?, ?)")
      .bind(self.host)
      .bind(self.boot_id)
      .bind(self.pid)
      .bind(self.pid_start)
      .bind(now_ms + limits::kLeaseMs)
      .run();
  return db.last_insert_id();
}

}  // namespace store::sqlite
