#include "bench/common/bare.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>

#include "bench/common/http.h"
#include "bench/common/measure.h"

namespace bench {

namespace {

constexpr int kCheckpointPages = 1000;  // as the store's writer

[[noreturn]] void fail(sqlite3* db) { throw std::runtime_error(std::string("bare SQLite: ") + sqlite3_errmsg(db)); }

void execute(sqlite3* db, const char* script) {
  if (sqlite3_exec(db, script, nullptr, nullptr, nullptr) != SQLITE_OK) fail(db);
}

sqlite3_stmt* prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) fail(db);
  return statement;
}

}  // namespace

BareDatabase::BareDatabase(const std::string& path) {
  if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) fail(db_);
  execute(db_, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;");
  execute(db_, "CREATE TABLE IF NOT EXISTS entry(id INTEGER PRIMARY KEY, data BLOB NOT NULL)");
  begin_ = prepare(db_, "BEGIN IMMEDIATE");
  insert_ = prepare(db_, "INSERT INTO entry(data) VALUES(?)");
  commit_ = prepare(db_, "COMMIT");
  sqlite3_wal_hook(
      db_,
      [](void* pages, sqlite3*, const char*, int now) {
        *static_cast<int*>(pages) = now;
        return SQLITE_OK;
      },
      &wal_pages_);
}

BareDatabase::~BareDatabase() {
  for (auto* statement : {begin_, insert_, commit_}) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

void BareDatabase::run(sqlite3_stmt* statement) {
  if (sqlite3_step(statement) != SQLITE_DONE) fail(db_);
  sqlite3_reset(statement);
}

void BareDatabase::commit_row(std::string_view data) {
  run(begin_);
  sqlite3_bind_blob64(insert_, 1, data.data(), data.size(), SQLITE_STATIC);
  run(insert_);
  run(commit_);
}

void BareDatabase::leave_to_sqlite(int busy_ms) {
  sqlite3_busy_timeout(db_, busy_ms);
  sqlite3_wal_autocheckpoint(db_, kCheckpointPages);
}

void BareDatabase::checkpoint_if_due() {
  if (wal_pages_ > kCheckpointPages) sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

BareFile::BareFile(const std::string& path)
    : fd_(static_cast<int>(check(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600), path.c_str()))) {}

void BareFile::append_synced(std::string_view data) {
  while (!data.empty()) data.remove_prefix(static_cast<std::size_t>(check(write(fd_.get(), data.data(), data.size()), "write")));
  check(fdatasync(fd_.get()), "fdatasync");
}

BareEcho::BareEcho() {
  std::uint16_t port = 0;
  auto listener = listen_loopback(port);
  thread_ = std::thread([this, listener = std::move(listener)]() mutable { serve(std::move(listener)); });
  client_ = connect_loopback(port);
}

BareEcho::~BareEcho() {
  shutdown(client_.get(), SHUT_RDWR);
  thread_.join();
}

void BareEcho::serve(Fd listener) {
  const Fd peer(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  std::array<char, 4096> buffer;
  for (;;) {
    const auto got = recv(peer.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) return;
    if (send(peer.get(), buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) return;
  }
}

void BareEcho::round_trip(std::string_view message) {
  check(send(client_.get(), message.data(), message.size(), MSG_NOSIGNAL), "send");
  std::array<char, 4096> buffer;
  for (std::size_t left = message.size(); left > 0;) {
    const auto got = check(recv(client_.get(), buffer.data(), buffer.size(), 0), "recv");
    if (got == 0) throw std::runtime_error("the echo ended");
    left -= static_cast<std::size_t>(got);
  }
}

}  // namespace bench
