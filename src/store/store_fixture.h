#pragma once
// For tests of the store: a process with a store on a home, and a home for each test.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "aio/loop_fixture.h"
#include "base/clock.h"
#include "base/ids.h"
#include "run/event.h"
#include "store/sqlite/database.h"
#include "store/sqlite/reads.h"
#include "store/sqlite_store.h"

namespace store {

namespace fs = std::filesystem;

inline std::string lines_of(int from, int count) {
  std::string lines;
  for (int i = from; i < from + count; ++i) {
    run::append_text_delta(lines, 1000 + i, "w" + std::to_string(i));
    lines += '\n';
  }
  return lines;
}

// One process: an io loop and a store on a home.
struct Process {
  explicit Process(const std::string& home) : time(io) {
    auto opened = open_sqlite_store(io, time, {.home = home});
    if (!opened) throw base::Broken(opened.error().message);
    store = std::move(*opened);
  }
  ~Process() {
    if (store) run(store->close());
  }
  // Runs one task to its end on this process' loop.
  template <class T>
  T run(aio::Task<T> task) {
    return aio::run_to_end(io, std::move(task));
  }
  void run_until(const std::function<bool()>& done) {
    io.restart();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done() && std::chrono::steady_clock::now() < end) io.run_one_for(std::chrono::milliseconds(20));
    ASSERT_TRUE(done());
  }

  Launched launch(const std::string& session, std::string key = "", std::string digest = "d", OwnerNumber owner = 0, std::string id = "") {
    Launch l;
    l.id_is_callers = !id.empty();
    l.run_id = id.empty() ? base::new_run_id(time, random) : id;
    l.component_id = "main";
    l.session_id = session;
    l.launch_key = std::move(key);
    l.request_digest = std::move(digest);
    l.spec = "{}";
    l.claim_for = owner;
    l.now_ms = time.wall_ms();
    return run(store->launch(std::move(l)));
  }
  base::Result<> append(const Run& r, std::int64_t epoch, int first, int count, std::optional<run::Status> status = std::nullopt) {
    Append a;
    a.run = r.number;
    a.epoch = epoch;
    a.first = static_cast<std::uint64_t>(first);
    a.lines = lines_of(first, count);
    a.count = static_cast<std::uint32_t>(count);
    a.status = status;
    a.reason = "r";
    a.now_ms = time.wall_ms();
    return run(store->append(std::move(a)));
  }
  Run find(const Run& r) { return *run(store->find_run(r.run_id)); }
  std::string whole(const Run& r) {
    std::string all;
    for (std::uint64_t at = 0;;) {
      const auto slice = run(store->read(r.number, at));
      if (!slice.count) return all;
      EXPECT_EQ(slice.first, at);
      all += *slice.lines;
      at = slice.end();
    }
  }

  boost::asio::io_context io{1};
  aio::SystemTime time;
  base::SystemRandom random;
  std::unique_ptr<Store> store;
};

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "outlast-store-XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    home = name;
  }
  void TearDown() override { fs::remove_all(home); }
  std::string home;
};

}  // namespace store
