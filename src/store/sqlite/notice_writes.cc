#include "store/sqlite/notice_writes.h"

#include <algorithm>

namespace store::sqlite {

void notice_end(Database& db, RunNumber run, std::int64_t now_ms) {
  db.query(
        "INSERT INTO notice(session, task, kind, detail, created_ms) SELECT r.session, r.run_id, 'ended', '', ? FROM run r JOIN "
        "session s ON s.id = r.session "
        "WHERE r.id = ? AND r.kind = 'tool' AND r.parent_run_id <> '' AND r.awaited = 0 AND s.component_type <> 'tool'")
      .bind(now_ms)
      .bind(run)
      .run();
}

void insert_notice(Database& db, Commit& commit, const Run& task, const std::string& kind, const std::string& detail, std::int64_t now_ms) {
  // The fact outlives the telling: one that was told is not made again by an executor that looks from the start.
  db.query("INSERT INTO fact(run, at_ms, epoch, type, data) SELECT ?1, ?2, ?3, ?4, ?5 "
           "WHERE NOT EXISTS(SELECT 1 FROM fact WHERE run = ?1 AND type = ?4 AND data = ?5)")
      .bind(task.number)
      .bind(now_ms)
      .bind(task.epoch)
      .bind(kind)
      .bind(detail)
      .run();
  if (!db.changes()) return;
  // In the session that it is in now: a task may have been moved since whoever executes it has read it.
  db.query(
        "INSERT INTO notice(session, task, kind, detail, created_ms) SELECT r.session, r.run_id, ?, ?, ? FROM run r JOIN session s "
        "ON s.id = r.session WHERE r.id = ? AND s.component_type <> 'tool'")
      .bind(kind)
      .bind(detail)
      .bind(now_ms)
      .bind(task.number)
      .run();
  commit.control = true;
}

bool message_waits(Database& db, const std::string& run_id) {
  auto q = db.query("SELECT 1 FROM notice WHERE task = ? AND kind = 'message'");
  q.bind(run_id);
  return q.step();
}

bool all_wait(Database& db, const std::vector<std::int64_t>& notices) {
  return std::ranges::all_of(notices, [&db](std::int64_t number) {
    auto q = db.query("SELECT 1 FROM notice WHERE id = ?");
    q.bind(number);
    return q.step();
  });
}

void delete_told(Database& db, const Append& append) {
  for (const auto number : append.tells) db.query("DELETE FROM notice WHERE id = ?").bind(number).run();
  for (const auto& task : append.told_tasks) db.query("DELETE FROM notice WHERE task = ?").bind(task).run();
}

bool stop_awaiting(Database& db, RunNumber task) {
  db.query("UPDATE run SET awaited = 0 WHERE id = ? AND status < 3").bind(task).run();
  return db.changes() > 0;
}

}  // namespace store::sqlite
