#include "store/sqlite/database.h"

#include <sqlite3.h>

#include "base/error.h"
#include "base/log.h"
#include "store/sqlite/wal_tail.h"

namespace store::sqlite {

namespace {

constexpr int kBusyMs = 10'000;  // the net below our own queue of writers (store/sqlite/write_lock.h)

[[noreturn]] void throw_broken(sqlite3* db, std::string_view doing) {
  const char* const file = sqlite3_db_filename(db, "main");
  const int code = sqlite3_extended_errcode(db);
  const auto message =
      (file ? std::string(file) + ": " : "") + std::string(doing) + ": " + sqlite3_errmsg(db) + " (sqlite " + std::to_string(code) + ")";
  if ((code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT) throw Damaged(message);
  throw base::Broken(message);
}

}  // namespace

Query::~Query() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Query& Query::bind(std::int64_t value) {
  if (sqlite3_bind_int64(statement_, next_++, value) != SQLITE_OK) throw_broken(db_, "binding a number");
  return *this;
}

Query& Query::bind(std::string_view text) {
  if (sqlite3_bind_text64(statement_, next_++, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK)
    throw_broken(db_, "binding a text");
  return *this;
}

Query& Query::bind_blob(std::string_view bytes) {
  if (sqlite3_bind_blob64(statement_, next_++, bytes.data(), bytes.size(), SQLITE_STATIC) != SQLITE_OK) throw_broken(db_, "binding a blob");
  return *this;
}

bool Query::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  throw_broken(db_, "running a statement");
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Query::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {data ? data : "", static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Database::Database(const std::string& path, OpenMode mode) : path_(path) {
  const int access = mode == OpenMode::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE;
  if (sqlite3_open_v2(path.c_str(), &db_, access | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    const std::string reason = db_ ? sqlite3_errmsg(db_) : "out of memory";
    sqlite3_close_v2(db_);
    throw base::Broken("cannot open " + path + ": " + reason);
  }
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_timeout(db_, kBusyMs);
  // A command that only looks must not pay for a checkpoint, and the WAL is kept for the next process.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  try {
    if (mode == OpenMode::read_write) {
      execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;");
      sqlite3_wal_hook(
          db_,
          [](void* self, sqlite3*, const char*, int pages) {
            static_cast<Database*>(self)->wal_pages_ = pages;
            return SQLITE_OK;
          },
          this);
    } else {
      execute("PRAGMA query_only=ON;");
    }
  } catch (...) {
    sqlite3_close_v2(db_);
    throw;
  }
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(db_);
}

Query Database::query(Sql sql) {
  auto& statement = statements_[sql.text];
  if (!statement && sqlite3_prepare_v3(db_, sql.text, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
    fail(std::string("preparing ") + sql.text);
  return {db_, statement};
}

void Database::execute(const char* script) {
  if (sqlite3_exec(db_, script, nullptr, nullptr, nullptr) != SQLITE_OK) fail("running a script");
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(db_); }
std::int64_t Database::changes() const { return sqlite3_changes64(db_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

void Database::commit() {
  try {
    query("COMMIT").run();
  } catch (const base::Broken&) {
    disown_failed_commit();
    throw;
  }
}

void Database::disown_failed_commit() noexcept {
  try {
    if (in_transaction()) query("ROLLBACK").run();
    query("BEGIN IMMEDIATE").run();
    if (!spoil_wal_tail(db_)) base::log::warning("a commit that failed could not be taken out of the write-ahead log", {{"file", path_}});
    query("ROLLBACK").run();
  } catch (const base::Broken&) {
    // The disk is broken altogether. The next commit that succeeds overwrites what this one left.
  }
}

void Database::checkpoint_passive() { checkpoint(SQLITE_CHECKPOINT_PASSIVE); }

void Database::checkpoint_truncate() {
  sqlite3_busy_timeout(db_, 0);
  checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  sqlite3_busy_timeout(db_, kBusyMs);
}

void Database::checkpoint(int mode) {
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, mode, nullptr, nullptr) & 0xff;
  // Busy readers are no failure: what they hold back is moved next time.
  if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED) fail("moving the write-ahead log");
}

void Database::fail(std::string_view doing) const { throw_broken(db_, doing); }

}  // namespace store::sqlite
