// Files that were cut off or written over: the store holds a dense prefix of each run, or says what is wrong. Never a hole,
// never another event than was appended where the log has its checksums, never an end of the process.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/random.h"
#include "store/sqlite/database.h"
#include "tests/disk/process.h"
#include "tests/disk/temporary_home.h"
#include "tests/disk/workload.h"

namespace disk {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class DamagedFile : public ::testing::Test {
 protected:
  void SetUp() override {
    TemporaryHome source;
    Disk nobodys(source.path());
    play({.executors = 3, .runs = 3, .batches = 20}, nobodys, ledger);
    database = bytes_of(source.path() + "/outlast.db");
    // From here on all stays in the log, as if every process had been killed: a snapshot from before keeps it from being moved.
    store::sqlite::Database snapshot(source.path() + "/outlast.db", store::sqlite::OpenMode::read_only);
    snapshot.execute("BEGIN; SELECT 1 FROM sqlite_master");
    play({.seed = 2, .lives = 1, .executors = 3, .runs = 4, .batches = 30}, nobodys, ledger);
    log = bytes_of(source.path() + "/outlast.db-wal");
    ASSERT_EQ(bytes_of(source.path() + "/outlast.db"), database);
  }

  // What a new process makes of these two files. "": it opens, and each run is a dense prefix of what was appended to it;
  // "refused: ...": it says why it cannot; else what is wrong.
  std::string open(const std::string& found_database, const std::string& found_log) {
    TemporaryHome home;
    std::ofstream(home.path() + "/outlast.db", std::ios::binary) << found_database;
    std::ofstream(home.path() + "/outlast.db-wal", std::ios::binary) << found_log;
    try {
      Process process(home.path());
      for (const auto& story : ledger.stories)
        if (auto wrong = look_at(process, story); !wrong.empty()) return "run " + story.run_id + " " + wrong;
      return {};
    } catch (const base::Broken& error) {
      return std::string("refused: ") + error.what();
    }
  }

  static std::string look_at(Process& process, const Story& story) {
    const auto found = process.run(process.store->find_run(story.run_id));
    if (!found) return {};
    std::string lines;
    for (std::uint64_t at = 0;;) {
      const auto slice = process.run(process.store->read(found->number, at));
      if (!slice.count) break;
      if (slice.first != at) return "has a hole before event " + std::to_string(slice.first);
      lines += *slice.lines;
      at = slice.end();
    }
    if (found->event_count > story.ends.size() || lines != story.log.substr(0, story.bytes(found->event_count)))
      return "has other events";
    const bool over = run::is_terminal(found->status);
    return over && found->event_count != story.ends.size() ? "has ended without its last event" : "";
  }

  Ledger ledger;
  std::string database, log;
};

TEST_F(DamagedFile, ALogThatIsCutOffAnywhereIsADensePrefix) {
  ASSERT_GT(log.size(), 50u * 4096u);
  sim::Random random(1);
  for (std::size_t part = 0; part <= 50; ++part)
    EXPECT_EQ(open(database, log.substr(0, log.size() * part / 50)), "") << part << "/50";
  for (int i = 0; i < 50; ++i) {
    const auto bytes = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(log.size())));
    EXPECT_EQ(open(database, log.substr(0, bytes)), "") << bytes << " bytes";
  }
}

TEST_F(DamagedFile, ALogWithFlippedBytesIsADensePrefix) {
  sim::Random random(2);
  for (int i = 0; i < 100; ++i) {
    auto flipped = log;
    const auto at = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(log.size())));
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << random.below(8)));
    EXPECT_EQ(open(database, flipped), "") << "byte " << at;
  }
}

TEST_F(DamagedFile, ADatabaseThatIsCutOffIsRefused) {
  for (std::size_t part = 1; part < 50; ++part) {
    const auto answer = open(database.substr(0, database.size() * part / 50), "");
    EXPECT_EQ(answer.substr(0, 9), "refused: ") << part << "/50: " << answer;
    EXPECT_NE(answer.find("outlast.db"), std::string::npos) << answer;
  }
}

TEST_F(DamagedFile, ADatabaseThatWasWrittenOverIsRefused) {
  for (const auto& garbage : {std::string(database.size(), '\0'), std::string(database.size(), 'x'), std::string("a text\n")}) {
    const auto answer = open(garbage, "");
    EXPECT_EQ(answer.substr(0, 9), "refused: ") << answer;
  }
}

// SQLite's main file has no checksums: a page that was written over is noticed where its shape is wrong, and not where only a
// text has changed. Whatever it is, the process lives and answers.
TEST_F(DamagedFile, ADatabaseWithPagesWrittenOverNeverEndsTheProcess) {
  sim::Random random(3);
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    auto damaged = database;
    const auto page = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(database.size() / 4096))) * 4096;
    for (std::size_t at = page; at < page + 4096; ++at) damaged[at] = i % 2 ? '\0' : static_cast<char>(random.next());
    refused += open(damaged, "").starts_with("refused: ");
  }
  EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace disk
