#include "store/sqlite/turns.h"

namespace store::sqlite {

TurnsOfSession look_at_turns(Database& db, const std::string& session_id) {
  auto q = db.query(
      "SELECT s.id, (SELECT count(*) FROM run e INDEXED BY run_turn WHERE e.session = s.id AND e.status < 3 AND e.kind <> "
      "'tool') "
      "FROM session s WHERE s.session_id = ?");
  q.bind(session_id);
  if (!q.step()) return {};
  return {.exists = true, .live = q.integer(1)};
}

bool waits_its_turn(Database& db, RunNumber run) {
  auto q = db.query("SELECT 1 FROM run r WHERE r.id = ? AND " OUTLAST_WAITS_ITS_TURN);
  q.bind(run);
  return q.step();
}

void begin_turn(Database& db, RunNumber run, std::int64_t now_ms) {
  db.query(
        "UPDATE run SET began_ms = ?, history_through = (SELECT ended_count FROM session WHERE session.id = run.session) "
        "WHERE id = ? AND in_turn = 1")
      .bind(now_ms)
      .bind(run)
      .run();
}

bool somebody_waits(Database& db, SessionNumber session) {
  auto q = db.query(
      "SELECT 1 FROM run r INDEXED BY run_turn WHERE r.session = ? AND r.status < 3 AND r.kind <> 'tool' AND r.in_turn = 1 "
      "AND r.epoch = 0 LIMIT 1");
  q.bind(session);
  return q.step();
}

std::vector<Turn> select_turns(Database& db, SessionNumber session) {
  auto q = db.query(
      "SELECT r.id, r.run_id, r.status, r.in_turn = 1 AND r.epoch = 0, r.first_kept, "
      "coalesce((SELECT b.first + b.count FROM event_block b WHERE b.run = r.id ORDER BY b.first DESC LIMIT 1), r.first_kept) "
      "FROM run r INDEXED BY run_session WHERE r.session = ? AND r.kind <> 'tool' ORDER BY r.id");
  q.bind(session);
  std::vector<Turn> turns;
  bool live = false;
  while (q.step()) {
    Turn turn{.number = q.integer(0),
              .run_id = q.text(1),
              .status = static_cast<run::Status>(q.integer(2)),
              .waits = false,
              .first_kept = static_cast<std::uint64_t>(q.integer(4)),
              .event_count = static_cast<std::uint64_t>(q.integer(5))};
    const bool ended = run::is_terminal(turn.status);
    turn.waits = live && !ended && q.integer(3) != 0;
    live = live || !ended;
    turns.push_back(std::move(turn));
  }
  return turns;
}

}  // namespace store::sqlite
