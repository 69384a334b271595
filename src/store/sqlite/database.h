#pragma once
// RAII over sqlite3: one connection, statements prepared once from literals. Not thread-safe: one thread at a time.
// Every failure is a base::Broken that names the file and SQLite's reason.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace store::sqlite {

// The file is no database, or what it holds makes no sense.
class Damaged : public base::Broken {
  using base::Broken::Broken;
};

// An SQL text that is a literal, so that nothing from outside can be part of it.
struct Sql {
  template <std::size_t N>
  consteval Sql(const char (&literal)[N]) : text(literal) {}  // NOLINT(google-explicit-constructor): reads as the statement
  const char* text;
};

// One execution of a prepared statement; resets it when it goes. Parameters are bound in order.
class Query {
 public:
  Query(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& bind(std::int64_t value);
  Query& bind(std::string_view text);  // the bytes must live until the last step
  Query& bind_blob(std::string_view bytes);
  bool step();                         // true: a row is there
  void run() { step(); }

  std::int64_t integer(int column) const;
  std::string text(int column) const { return std::string(bytes(column)); }
  std::string_view bytes(int column) const;  // valid until the next step

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_;
  int next_ = 1;
};

enum class OpenMode { read_write, read_only };

class Database {
 public:
  // Opens with the pragmas of the project (WAL, synchronous=FULL, foreign keys off, no automatic checkpoint).
  Database(const std::string& path, OpenMode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Query query(Sql sql);
  void execute(const char* script);    // migrations and pragmas; several statements
  std::int64_t last_insert_id() const;
  std::int64_t changes() const;
  bool in_transaction() const;
  // Ends the transaction. When that fails nothing of it is left, neither here nor for a process that recovers the log.
  void commit();

  // Pages in the write-ahead log after the last commit of this connection.
  int wal_pages() const { return wal_pages_; }
  // Moves what readers allow from the WAL into the file, without waiting for them. Under the home's write lock, or by
  // checkpoint_beside_writers.
  void checkpoint_passive();
  // Moves all of it and empties the WAL, if nobody else uses the database now. A process that opens it first reads the
  // whole WAL, so one left full costs every later command (63 ms of `ls` with 32 MB).
  void checkpoint_truncate();
  const std::string& path() const { return path_; }

 private:
  void checkpoint(int mode);
  void disown_failed_commit() noexcept;
  [[noreturn]] void fail(std::string_view doing) const;
  std::string path_;
  sqlite3* db_ = nullptr;
  int wal_pages_ = 0;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

}  // namespace store::sqlite
