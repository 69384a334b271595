// Layouts of the event table, written and read back alone, without the store around them: what ARCHITECTURE.md "The event
// table" rests on. 64 runs take turns, so a commit of 16 events touches 16 of them and one of 256 brings four to each.
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "bench/common/bare.h"
#include "bench/common/host.h"
#include "bench/figures/figures.h"

namespace bench {

namespace {

constexpr std::int64_t kRuns = 64;

// A layout as its statements. One row holds one event, or what a run brought in one commit.
struct Layout {
  const char* name;
  enum class Row { event, block } row;
  const char* schema;
  const char* insert;  // of (run, first index, data) as ?1 ?2 ?3
  const char* select;  // the data of run ?1 in order
};

constexpr Layout kLayouts[] = {
    {"chunk_rowid", Layout::Row::block,
     "CREATE TABLE event(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, first INTEGER NOT NULL, data BLOB NOT NULL);"
     "CREATE UNIQUE INDEX event_run ON event(run, first)",
     "INSERT INTO event(run, first, data) VALUES(?1, ?2, ?3)", "SELECT data FROM event WHERE run = ?1 ORDER BY first"},
    {"rowid_int", Layout::Row::event,
     "CREATE TABLE event(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, idx INTEGER NOT NULL, data BLOB NOT NULL);"
     "CREATE UNIQUE INDEX event_run ON event(run, idx)",
     "INSERT INTO event(run, idx, data) VALUES(?1, ?2, ?3)", "SELECT data FROM event WHERE run = ?1 ORDER BY idx"},
    {"packed", Layout::Row::event, "CREATE TABLE event(id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
     "INSERT INTO event(id, data) VALUES((?1 << 32) | ?2, ?3)",
     "SELECT data FROM event WHERE id >= (?1 << 32) AND id < ((?1 + 1) << 32) ORDER BY id"},
    {"wr_int", Layout::Row::event,
     "CREATE TABLE event(run INTEGER NOT NULL, idx INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY(run, idx)) WITHOUT ROWID",
     "INSERT INTO event(run, idx, data) VALUES(?1, ?2, ?3)", "SELECT data FROM event WHERE run = ?1 ORDER BY idx"},
};

class Table {
 public:
  Table(const std::string& path, const Layout& layout) : layout_(layout), path_(path) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) fail();
    execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000;");
    execute(layout.schema);
    insert_ = prepare(layout.insert);
    select_ = prepare(layout.select);
  }
  ~Table() {
    sqlite3_finalize(insert_);
    sqlite3_finalize(select_);
    sqlite3_close(db_);
    for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void execute(const char* script) {
    if (sqlite3_exec(db_, script, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
  }
  // `count` events of one run, each `event_bytes` of `lines`.
  void append(std::int64_t run, std::int64_t first, std::string_view lines, std::int64_t count) {
    if (layout_.row == Layout::Row::block) return insert(run, first, lines);
    const auto each = lines.size() / static_cast<std::size_t>(count);
    for (std::int64_t i = 0; i < count; ++i) insert(run, first + i, lines.substr(static_cast<std::size_t>(i) * each, each));
  }
  // Reads a run as a stream would: every line is found. How many there were.
  std::int64_t read(std::int64_t run) {
    sqlite3_bind_int64(select_, 1, run);
    std::int64_t count = 0;
    while (sqlite3_step(select_) == SQLITE_ROW) {
      const std::string_view data(static_cast<const char*>(sqlite3_column_blob(select_, 0)),
                                  static_cast<std::size_t>(sqlite3_column_bytes(select_, 0)));
      for (auto end = data.find('\n'); end != std::string_view::npos; end = data.find('\n', end + 1)) ++count;
    }
    if (sqlite3_reset(select_) != SQLITE_OK) fail();
    return count;
  }

 private:
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) fail();
    return statement;
  }
  void insert(std::int64_t run, std::int64_t first, std::string_view data) {
    sqlite3_bind_int64(insert_, 1, run);
    sqlite3_bind_int64(insert_, 2, first);
    sqlite3_bind_blob64(insert_, 3, data.data(), data.size(), SQLITE_STATIC);
    if (sqlite3_step(insert_) != SQLITE_DONE) fail();
    sqlite3_reset(insert_);
  }
  [[noreturn]] void fail() { throw std::runtime_error(std::string("layout ") + layout_.name + ": " + sqlite3_errmsg(db_)); }

  const Layout& layout_;
  const std::string path_;
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* select_ = nullptr;
};

void print_rate(const std::string& name, std::string_view side, std::int64_t events, std::int64_t began,
                const Latencies& commits) {
  Sample sample(name, side, static_cast<double>(events) * 1e9 / static_cast<double>(now_ns() - began));
  if (commits.count()) sample.with("p50_us", commits.percentile_us(0.5)).with("p99_us", commits.percentile_us(0.99));
}

void measure_layout(const std::string& dir, const Layout& layout, std::int64_t per_commit, double seconds) {
  Table table(dir + "/layout.db", layout);
  const auto runs = std::min(per_commit, kRuns);  // that a commit touches
  const auto each = per_commit / runs;
  const auto lines = event_lines(static_cast<std::uint32_t>(each));
  std::vector<std::int64_t> next(kRuns);
  Latencies commits;
  std::int64_t events = 0, turn = 0;
  const auto began = now_ns();
  const auto end = began + static_cast<std::int64_t>(seconds * 1e9);
  while (now_ns() < end) {
    const auto start = now_ns();
    table.execute("BEGIN IMMEDIATE");
    for (std::int64_t i = 0; i < runs; ++i, turn = (turn + 1) % kRuns) {
      auto& first = next[static_cast<std::size_t>(turn)];
      table.append(turn, first, lines, each);
      first += each;
    }
    table.execute("COMMIT");
    commits.add(now_ns() - start);
    events += per_commit;
  }
  print_rate("layouts.write." + std::to_string(per_commit), layout.name, events, began, commits);

  std::int64_t read = 0;
  for (std::int64_t run = 0; run < kRuns; ++run) read += table.read(run);  // warms the cache, and all must be there
  if (read != events) throw std::runtime_error("a layout lost events");
  read = 0;
  const auto reading = now_ns();
  while (now_ns() < reading + static_cast<std::int64_t>(seconds * 0.3e9))
    for (std::int64_t run = 0; run < kRuns; ++run) read += table.read(run);
  print_rate("layouts.read." + std::to_string(per_commit), layout.name, read, reading, {});
}

void measure_file(const std::string& dir, std::int64_t per_commit, double seconds) {
  BareFile file(dir + "/layout.file");
  const auto lines = event_lines(static_cast<std::uint32_t>(per_commit));
  Latencies commits;
  std::int64_t events = 0;
  const auto began = now_ns();
  while (now_ns() < began + static_cast<std::int64_t>(seconds * 1e9)) {
    const auto start = now_ns();
    file.append_synced(lines);
    commits.add(now_ns() - start);
    events += per_commit;
  }
  print_rate("layouts.write." + std::to_string(per_commit), "file", events, began, commits);
}

}  // namespace

void measure_layouts(const Arguments& arguments) {
  const auto dir = arguments.required("dir");
  const auto seconds = arguments.seconds("seconds", 0.5);
  std::vector<std::function<void()>> sides;
  for (const std::int64_t per_commit : {16, 256}) {
    for (const auto& layout : kLayouts)
      sides.push_back([&dir, &layout, per_commit, seconds] { measure_layout(dir, layout, per_commit, seconds); });
    sides.push_back([&dir, per_commit, seconds] { measure_file(dir, per_commit, seconds); });
  }
  interleave(arguments.integer("repeats", 3), sides);
}

}  // namespace bench
