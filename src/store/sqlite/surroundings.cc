#include "store/sqlite/surroundings.h"

#include "base/limits.h"
#include "store/sqlite/reads.h"
#include "store/sqlite/rows.h"

namespace store::sqlite {

namespace {

std::vector<Run> select_live_tasks(Database& db, SessionNumber session) {
  auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES
                    "WHERE r.session = ? AND r.kind = 'tool' AND r.status < 3 ORDER BY r.id DESC LIMIT ?");
  q.bind(session).bind(static_cast<std::int64_t>(base::limits::kSessionTasksMax));
  std::vector<Run> tasks;
  while (q.step()) tasks.push_back(read_run(q));
  return tasks;
}

}  // namespace

std::vector<Notice> select_notices(Database& db, SessionNumber session) {
  auto q = db.query("SELECT id, task, kind, detail, created_ms FROM notice WHERE session = ? ORDER BY id LIMIT 1000");
  q.bind(session);
  std::vector<Notice> notices;
  while (q.step()) notices.push_back({q.integer(0), q.text(1), q.text(2), q.text(3), q.integer(4)});
  return notices;
}

Surroundings select_surroundings(Database& db, SessionNumber session, const std::optional<MemoryFilter>& memory) {
  Surroundings found{.live_tasks = select_live_tasks(db, session), .notices = select_notices(db, session), .memory = {}};
  if (memory) found.memory = select_memory(db, session, *memory);
  return found;
}

}  // namespace store::sqlite
