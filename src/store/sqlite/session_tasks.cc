#include "store/sqlite/session_tasks.h"

#include <map>

#include "store/sqlite/rows.h"

namespace store::sqlite {

namespace {

// A session of kind tool has no agent: there is nobody whose end its tasks could outlive.
bool has_agent(Database& db, SessionNumber session) {
  auto q = db.query("SELECT 1 FROM session WHERE id = ? AND component_type <> 'tool'");
  q.bind(session);
  return q.step();
}

// The session of the same user and agent that was used last; conversations of sub-agents are nobody's to go on with. 0: none.
SessionNumber adopter_of(Database& db, const Session& from) {
  auto q = db.query(
      "SELECT s.id FROM session s WHERE s.user_id = ? AND s.component_type = ? AND s.component_id = ? AND s.app_id = ? AND s.id "
      "<> ? "
      "AND NOT EXISTS(SELECT 1 FROM run r WHERE r.session = s.id AND r.kind <> 'tool' AND r.parent_run_id <> '') "
      "ORDER BY s.updated_ms DESC, s.id DESC LIMIT 1");
  q.bind(from.user_id).bind(from.component_type).bind(from.component_id).bind(from.app_id).bind(from.number);
  return q.step() ? q.integer(0) : 0;
}

SessionNumber make_detached(Database& db, const Session& from, const std::string& id, std::int64_t now_ms) {
  db.query(
        "INSERT INTO session(session_id, name, component_type, component_id, user_id, state, metadata, created_ms, updated_ms) "
        "VALUES(?, ?, 'tool', '', ?, '', '', ?, ?)")
      .bind(id)
      .bind(from.name)
      .bind(from.user_id)
      .bind(now_ms)
      .bind(now_ms)
      .run();
  return db.last_insert_id();
}

void move_task(Database& db, const StayingTask& task, SessionNumber from, SessionNumber to) {
  // With what its calls have waited for: they read its answers yet.
  db.query(
        "UPDATE run SET session = ?1 WHERE session = ?2 AND (id = ?3 OR (kind = 'tool' AND awaited = 1 AND parent_run_id = ?4))")
      .bind(to)
      .bind(from)
      .bind(task.run.number)
      .bind(task.run.run_id)
      .run();
  // And with the ended ones that it follows: how they ended decides whether its call is made.
  for (const auto& earlier : task.after)
    db.query("UPDATE run SET session = ? WHERE session = ? AND run_id = ? AND kind = 'tool' AND status >= 3")
        .bind(to)
        .bind(from)
        .bind(earlier)
        .run();
}

}  // namespace

LiveRuns look_at_live(Database& db, SessionNumber session) {
  LiveRuns live;
  std::map<std::string, run::OnEnd> staying;
  const bool may_stay = has_agent(db, session);
  auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES "WHERE r.session = ? AND r.status < 3 ORDER BY r.id");
  q.bind(session);
  while (q.step()) {
    auto run = read_run(q);
    auto policy = run::OnEnd::cancel;
    std::vector<std::string> after;
    if (may_stay && run.kind == kKindTool && run.awaited) {
      // Launched after whoever waits for it, whose fate it shares.
      if (const auto parent = staying.find(run.parent_run_id); parent != staying.end()) policy = parent->second;
    } else if (may_stay && run.kind == kKindTool && !run.cancel_requested) {
      if (auto spec = run::decode_spec(run.spec)) {
        policy = spec->limits.tasks.on_end;
        after = std::move(spec->after.tasks);
      }
    }
    if (policy == run::OnEnd::cancel) {
      live.ending.push_back(std::move(run));
      continue;
    }
    staying[run.run_id] = policy;
    live.staying.push_back({std::move(run), policy, std::move(after)});
  }
  return live;
}

void move_tasks(Database& db, const Session& from, const std::vector<StayingTask>& tasks, const std::string& detached,
                std::int64_t now_ms) {
  SessionNumber adopter = 0, made = 0;
  for (const auto& task : tasks) {
    if (task.policy == run::OnEnd::adopt && !adopter) adopter = adopter_of(db, from);
    const bool adopted = task.policy == run::OnEnd::adopt && adopter;
    if (!adopted && !made) made = make_detached(db, from, detached, now_ms);
    move_task(db, task, from.number, adopted ? adopter : made);
  }
  // What is not told yet is told to whom the tasks belong now.
  if (adopter)
    db.query(
          "UPDATE notice SET session = ?1 WHERE session = ?2 AND EXISTS(SELECT 1 FROM run r WHERE r.run_id = notice.task AND "
          "r.session = ?1)")
        .bind(adopter)
        .bind(from.number)
        .run();
}

void follow_parent(Database& db, Launch& launch) {
  if (launch.kind != kKindTool || launch.parent_run_id.empty()) return;
  auto q = db.query("SELECT s.session_id FROM run r JOIN session s ON s.id = r.session WHERE r.run_id = ?");
  q.bind(launch.parent_run_id);
  if (q.step()) launch.session_id = q.text(0);
}

}  // namespace store::sqlite
