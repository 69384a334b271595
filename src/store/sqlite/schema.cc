#include "store/sqlite/schema.h"

#include "base/error.h"

namespace store::sqlite {

namespace {

constexpr std::int64_t kApplicationId = 0x4F75544C;  // "OuTL"

// Migration n brings a file from version n to n + 1. Never edit one that has been released: add the next.
// Numbers are never used again (AUTOINCREMENT): processes find each other's blocks by "id above the last one I saw", and a
// run that was removed must not lend its number to another. Blocks in a rowid table with a small index: the figures are in ARCHITECTURE.md "The event table".
constexpr const char* kMigrations[kSchemaVersion] = {
    R"sql(
CREATE TABLE owner(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  host TEXT NOT NULL, boot_id TEXT NOT NULL, pid INTEGER NOT NULL, pid_start INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL);

CREATE TABLE session(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  session_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL, component_type TEXT NOT NULL, component_id TEXT NOT NULL, user_id TEXT NOT NULL,
  state TEXT NOT NULL, metadata TEXT NOT NULL,
  ended_count INTEGER NOT NULL DEFAULT 0,
  forked_from INTEGER NOT NULL DEFAULT 0, forked_at INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL);
CREATE INDEX session_updated ON session(updated_ms);

CREATE TABLE run(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL, component_id TEXT NOT NULL, component_name TEXT NOT NULL,
  session INTEGER NOT NULL, user_id TEXT NOT NULL,
  parent_run_id TEXT NOT NULL, group_id TEXT NOT NULL, origin TEXT NOT NULL,
  status INTEGER NOT NULL, reason TEXT NOT NULL,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  epoch INTEGER NOT NULL, owner INTEGER NOT NULL,
  history_through INTEGER NOT NULL, ended_ordinal INTEGER NOT NULL DEFAULT 0,
  first_kept INTEGER NOT NULL DEFAULT 0,
  launch_key TEXT,
  created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL DEFAULT 0);
CREATE INDEX run_session ON run(session, id);
CREATE INDEX run_group ON run(group_id, id) WHERE group_id <> '';
CREATE UNIQUE INDEX run_launch_key ON run(launch_key) WHERE launch_key IS NOT NULL;
CREATE INDEX run_live ON run(owner, id) WHERE status < 2;
CREATE INDEX run_ended ON run(ended_ms) WHERE ended_ms > 0;

CREATE TABLE run_spec(run INTEGER PRIMARY KEY, spec TEXT NOT NULL, digest TEXT NOT NULL);

CREATE TABLE event_block(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
  data BLOB NOT NULL);
CREATE UNIQUE INDEX event_block_run ON event_block(run, first);

CREATE VIEW event AS
  SELECT r.run_id, b.first + e.key AS event_index, e.value AS event
  FROM event_block b JOIN run r ON r.id = b.run,
       json_each('[' || replace(rtrim(CAST(b.data AS TEXT), char(10)), char(10), ',') || ']') e;

CREATE TABLE fact(
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL, at_ms INTEGER NOT NULL, epoch INTEGER NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX fact_run ON fact(run, id);

CREATE TABLE cancel_intent(run_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
)sql",
    // What a session's model has not been told yet; a row goes when it has been.
    R"sql(
CREATE TABLE notice(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  session INTEGER NOT NULL, task TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL, created_ms INTEGER NOT NULL);
CREATE INDEX notice_session ON notice(session, id);
CREATE INDEX notice_task ON notice(task);
ALTER TABLE run ADD COLUMN awaited INTEGER NOT NULL DEFAULT 0;
)sql",
    // What the agents of a session have noted. Numbers are a session's own and kept by its forks, whose conversations name them.
    R"sql(
CREATE TABLE memory(
  session INTEGER NOT NULL, number INTEGER NOT NULL,
  kind INTEGER NOT NULL, status INTEGER NOT NULL,
  content TEXT NOT NULL, category TEXT NOT NULL, importance TEXT NOT NULL,
  created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,
  key TEXT NOT NULL);
CREATE UNIQUE INDEX memory_number ON memory(session, number);
CREATE UNIQUE INDEX memory_key ON memory(session, key);
CREATE INDEX memory_kind ON memory(session, kind, number);
ALTER TABLE session ADD COLUMN memory_last INTEGER NOT NULL DEFAULT 0;
)sql",
    // Turns that wait for each other, and the app that a session is of. The index holds live turns alone, so it is small.
    R"sql(
ALTER TABLE run ADD COLUMN in_turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN began_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX run_turn ON run(session, id) WHERE status < 3 AND kind <> 'tool';
ALTER TABLE session ADD COLUMN app_id TEXT NOT NULL DEFAULT '';
)sql",
    // Teams and what their members write to each other. A member reads all that there is for it at once, so a row of team_read
    // stands for all messages to that member above `after`, up to and with `through`.
    R"sql(
CREATE TABLE team(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  team_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL, members TEXT NOT NULL,
  message_count INTEGER NOT NULL DEFAULT 0, message_bytes INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL);
CREATE INDEX team_name ON team(name);
CREATE TABLE team_message(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  team INTEGER NOT NULL, message_id TEXT NOT NULL,
  sender TEXT NOT NULL, recipients TEXT NOT NULL, content TEXT NOT NULL, at_ms INTEGER NOT NULL,
  from_op TEXT NOT NULL, kind TEXT NOT NULL, artifacts TEXT NOT NULL,
  key TEXT NOT NULL);
CREATE INDEX team_message_team ON team_message(team, id);
CREATE UNIQUE INDEX team_message_key ON team_message(team, key);
CREATE TABLE team_read(
  team INTEGER NOT NULL, member TEXT NOT NULL,
  after INTEGER NOT NULL, through INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  key TEXT NOT NULL);
CREATE UNIQUE INDEX team_read_through ON team_read(team, member, through);
CREATE UNIQUE INDEX team_read_key ON team_read(team, key);
)sql",
    // Named tasks, in this code assignments. `fields` is JSON of what nothing is looked for by.
    R"sql(
CREATE TABLE assignment(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  version INTEGER NOT NULL,
  slug TEXT NOT NULL UNIQUE, alias TEXT NOT NULL,
  status INTEGER NOT NULL, priority INTEGER NOT NULL, project TEXT NOT NULL,
  session_id TEXT NOT NULL, archived INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
  fields TEXT NOT NULL);
CREATE UNIQUE INDEX assignment_alias ON assignment(alias) WHERE alias <> '';
CREATE INDEX assignment_session ON assignment(session_id) WHERE session_id <> '';
CREATE TABLE assignment_entry(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  assignment INTEGER NOT NULL, at_ms INTEGER NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX assignment_entry_of ON assignment_entry(assignment, id);
)sql",
};

std::int64_t pragma(Database& db, Sql sql) {
  auto query = db.query(sql);
  return query.step() ? query.integer(0) : 0;
}

}  // namespace

bool up_to_date(Database& db) {
  return pragma(db, "PRAGMA user_version") == kSchemaVersion && pragma(db, "PRAGMA application_id") == kApplicationId;
}

void migrate(Database& db) {
  if (up_to_date(db)) return;
  const auto version = pragma(db, "PRAGMA user_version");
  if (version > kSchemaVersion)
    throw base::Broken(db.path() + " was written by a newer outlast (schema " + std::to_string(version) + ", this one knows " +
                       std::to_string(kSchemaVersion) + "); use that one");
  db.execute("BEGIN IMMEDIATE");
  try {
    // Read again under the lock: another process may have migrated meanwhile.
    auto from = pragma(db, "PRAGMA user_version");
    const auto tables = pragma(db, "SELECT count(*) FROM sqlite_master");
    if (tables > 0 && pragma(db, "PRAGMA application_id") != kApplicationId)
      throw base::Broken(db.path() + " is a database of another program; move it away or set OUTLAST_HOME to another directory");
    db.execute("PRAGMA application_id = 1333089356");
    for (; from < kSchemaVersion; ++from) db.execute(kMigrations[from]);
    db.execute("PRAGMA user_version = 6");
    db.commit();
  } catch (...) {
    if (db.in_transaction()) db.execute("ROLLBACK");  // a full disk has rolled it back already
    throw;
  }
  static_assert(kApplicationId == 1333089356 && kSchemaVersion == 6, "the literals above");
}

}  // namespace store::sqlite
