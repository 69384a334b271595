#include "store/sqlite/session_writes.h"

#include "run/event.h"
#include "store/sqlite/memory_writes.h"
#include "store/sqlite/reads.h"
#include "store/sqlite/session_tasks.h"

namespace store::sqlite {

namespace {

// When the last event was that a fork takes over; its launch, where it takes none.
std::int64_t time_of_fork(Database& db, const Run& origin, std::uint64_t forked_at) {
  const auto slice = select_events(db, origin.number, forked_at ? forked_at - 1 : 0);
  const auto event = run::decode(std::string_view(*slice.lines).substr(0, slice.lines->find('\n')));
  return forked_at && event ? event->at_ms : origin.created_ms;
}

// Paused ones have no executor: they become claimable, so that whoever comes ends them.
void cancel(Database& db, Commit& commit, const std::vector<Run>& runs) {
  for (const auto& run : runs)
    db.query("UPDATE run SET cancel_requested = 1, status = CASE status WHEN 2 THEN 0 ELSE status END WHERE id = ?").bind(run.number).run();
  if (!runs.empty()) commit.control = commit.cancelled = true;
}

}  // namespace

base::Result<Session> insert_session(Database& db, const Session& session) {
  if (select_session(db, session.session_id)) return base::fail(base::Errc::conflict, "session '" + session.session_id + "' exists");
  Run origin;
  if (!session.forked_from_run.empty()) {
    const auto found = select_run(db, session.forked_from_run);
    if (!found) return std::unexpected(found.error());
    origin = *found;
  }
  db.query(
        "INSERT INTO session(session_id, name, component_type, component_id, user_id, state, metadata, forked_from, forked_at, "
        "created_ms, updated_ms, app_id) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(session.session_id)
      .bind(session.name)
      .bind(session.component_type)
      .bind(session.component_id)
      .bind(session.user_id)
      .bind(session.state)
      .bind(session.metadata)
      .bind(origin.number)
      .bind(static_cast<std::int64_t>(session.forked_at))
      .bind(session.created_ms)
      .bind(session.created_ms)
      .bind(session.app_id)
      .run();
  if (origin.number) copy_memory(db, origin.session, db.last_insert_id(), time_of_fork(db, origin, session.forked_at));
  return select_session(db, session.session_id);
}

base::Result<Session> update_session(Database& db, const std::string& session_id, const SessionChange& change, std::int64_t now_ms) {
  const auto found = select_session(db, session_id);
  if (!found) return std::unexpected(found.error());
  db.query("UPDATE session SET name = ?, state = ?, metadata = ?, updated_ms = ? WHERE id = ?")
      .bind(change.name.value_or(found->name))
      .bind(change.state.value_or(found->state))
      .bind(change.metadata.value_or(found->metadata))
      .bind(now_ms)
      .bind(found->number)
      .run();
  return select_session(db, session_id);
}

std::vector<Run> cancel_session(Database& db, Commit& commit, SessionNumber session) {
  auto live = look_at_live(db, session);
  cancel(db, commit, live.ending);
  return std::move(live.ending);
}

bool delete_session(Database& db, Commit& commit, const std::string& session_id, const std::string& detached, std::int64_t now_ms) {
  const auto found = select_session(db, session_id);
  if (!found) return false;
  const auto live = look_at_live(db, found->number);
  move_tasks(db, *found, live.staying, detached, now_ms);
  // Live runs keep their session until they have ended: they are cancelled, and the session goes with the next removal.
  cancel(db, commit, live.ending);
  db.query("DELETE FROM event_block WHERE run IN (SELECT id FROM run WHERE session = ? AND status >= 3)").bind(found->number).run();
  db.query("DELETE FROM fact WHERE run IN (SELECT id FROM run WHERE session = ? AND status >= 3)").bind(found->number).run();
  db.query("DELETE FROM run_spec WHERE run IN (SELECT id FROM run WHERE session = ? AND status >= 3)").bind(found->number).run();
  db.query("DELETE FROM notice WHERE session = ?").bind(found->number).run();
  db.query("DELETE FROM memory WHERE session = ?").bind(found->number).run();
  db.query("DELETE FROM run WHERE session = ? AND status >= 3").bind(found->number).run();
  if (live.ending.empty()) db.query("DELETE FROM session WHERE id = ?").bind(found->number).run();
  return true;
}

}  // namespace store::sqlite
