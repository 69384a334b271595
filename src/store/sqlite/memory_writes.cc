#include "store/sqlite/memory_writes.h"

#include <algorithm>

#include "base/limits.h"
#include "store/sqlite/rows.h"

namespace store::sqlite {

namespace {

constexpr auto kMax = static_cast<std::int64_t>(base::limits::kMemoryEntriesMax);

std::optional<run::MemoryEntry> by_key(Database& db, SessionNumber session, const std::string& key) {
  auto q = db.query("SELECT " OUTLAST_MEMORY_COLUMNS " FROM memory WHERE session = ? AND key = ?");
  q.bind(session).bind(key);
  if (!q.step()) return std::nullopt;
  return read_memory(q);
}

std::optional<run::MemoryEntry> by_number(Database& db, SessionNumber session, std::int64_t number) {
  auto q = db.query("SELECT " OUTLAST_MEMORY_COLUMNS " FROM memory WHERE session = ? AND number = ?");
  q.bind(session).bind(number);
  if (!q.step()) return std::nullopt;
  return read_memory(q);
}

// The highest number that the session has given, though the entry be gone; none: there is no such session.
std::optional<std::int64_t> last_number(Database& db, SessionNumber session) {
  auto q = db.query("SELECT memory_last FROM session WHERE id = ?");
  q.bind(session);
  if (!q.step()) return std::nullopt;
  return q.integer(0);
}

bool is_full(Database& db, SessionNumber session) {
  auto q = db.query("SELECT count(*) FROM memory WHERE session = ?");
  q.bind(session);
  return q.step() && q.integer(0) >= kMax;
}

std::unexpected<base::Error> none(std::int64_t number) {
  return base::fail(base::Errc::not_found, "there is no entry " + std::to_string(number));
}

}  // namespace

base::Result<run::MemoryEntry> insert_memory(Database& db, SessionNumber session, const run::MemoryEntry& entry,
                                             const std::string& key, std::int64_t now_ms) {
  if (auto made = by_key(db, session, key)) return *std::move(made);
  const auto last = last_number(db, session);
  if (!last) return base::fail(base::Errc::not_found, "the session was removed");
  if (entry.kind == run::MemoryKind::goal) db.query("DELETE FROM memory WHERE session = ? AND kind = 0").bind(session).run();
  if (is_full(db, session))
    return base::fail(base::Errc::busy,
                      std::to_string(kMax) + " entries are noted in this session, the most that there may be; forget some");
  db.query("UPDATE session SET memory_last = ? WHERE id = ?").bind(*last + 1).bind(session).run();
  db.query(
        "INSERT INTO memory(session, number, kind, status, content, category, importance, created_ms, changed_ms, key) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(session)
      .bind(*last + 1)
      .bind(static_cast<std::int64_t>(entry.kind))
      .bind(static_cast<std::int64_t>(entry.status))
      .bind(entry.content)
      .bind(entry.category)
      .bind(entry.importance)
      .bind(now_ms)
      .bind(now_ms)
      .bind(key)
      .run();
  return *by_number(db, session, *last + 1);
}

base::Result<run::MemoryEntry> update_memory(Database& db, SessionNumber session, std::int64_t number,
                                             const run::MemoryChange& change, std::int64_t now_ms) {
  auto entry = by_number(db, session, number);
  if (!entry) return none(number);
  if (entry->kind != run::MemoryKind::todo)
    return base::fail(base::Errc::conflict,
                      "entry " + std::to_string(number) + " is a " + std::string(run::name(entry->kind)) + ", not a task");
  entry->status = change.status.value_or(entry->status);
  entry->content = change.content.value_or(entry->content);
  entry->changed_ms = now_ms;
  db.query("UPDATE memory SET status = ?, content = ?, changed_ms = ? WHERE session = ? AND number = ?")
      .bind(static_cast<std::int64_t>(entry->status))
      .bind(entry->content)
      .bind(now_ms)
      .bind(session)
      .bind(number)
      .run();
  return *std::move(entry);
}

base::Result<> delete_memory(Database& db, SessionNumber session, std::int64_t number) {
  if (number < 1 || number > last_number(db, session).value_or(0)) return none(number);
  db.query("DELETE FROM memory WHERE session = ? AND number = ?").bind(session).bind(number).run();
  return {};
}

void copy_memory(Database& db, SessionNumber from, SessionNumber to, std::int64_t made_until_ms) {
  db.query("INSERT INTO memory(session, " OUTLAST_MEMORY_COLUMNS ", key) SELECT ?, " OUTLAST_MEMORY_COLUMNS
           ", key FROM memory WHERE session = ? AND created_ms <= ?")
      .bind(to)
      .bind(from)
      .bind(made_until_ms)
      .run();
  db.query("UPDATE session SET memory_last = ? WHERE id = ?").bind(last_number(db, from).value_or(0)).bind(to).run();
}

}  // namespace store::sqlite
