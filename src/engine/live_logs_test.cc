// Readers of a log that grows, in the process that writes it and in another one.
#include "engine/engine_fixture.h"

namespace engine {
namespace {

class LiveLogsTest : public EngineTest {};

TEST_F(LiveLogsTest, ReadersSeeEveryEventOnceHoweverTheyJoin) {
  Process executing(home), watching(home);
  const auto r = executing.launch("tokens=200 rate=400");
  const auto follow = [](LiveLogs& logs, store::RunNumber run, std::vector<std::string>& into) -> aio::Task<> {
    LiveLogs::Reader reader(logs, run);
    for (std::uint64_t cursor = 0;;) {
      const auto block = co_await reader.read(cursor);
      if (!block) {
        co_await reader.wait(cursor);
        continue;
      }
      std::string_view rest = *block->slice.lines;
      for (auto index = block->slice.first; !rest.empty(); ++index) {
        const auto line = rest.substr(0, rest.find('\n'));
        if (index >= cursor) into.emplace_back(line);
        rest.remove_prefix(line.size() + 1);
      }
      cursor = block->slice.end();
      if (into.back().starts_with(R"({"type":"run_completed")")) co_return;
    }
  };
  std::vector<std::string> local, remote;
  auto one = boost::asio::co_spawn(executing.io, follow(executing.logs, r.number, local), boost::asio::use_future);
  auto two = boost::asio::co_spawn(watching.io, follow(watching.logs, r.number, remote), boost::asio::use_future);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const auto ready = [](auto& future) { return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready; };
  while ((!ready(one) || !ready(two)) && std::chrono::steady_clock::now() < end) {
    executing.io.run_one_for(std::chrono::milliseconds(2));
    watching.io.run_one_for(std::chrono::milliseconds(2));
  }
  ASSERT_TRUE(ready(one) && ready(two));
  EXPECT_EQ(local.size(), 205u);
  EXPECT_EQ(local, remote);
}

// What two readers of one run see who join the log at different places.
TEST_F(LiveLogsTest, AReaderWhoJoinsWhileAnotherWaitsAtTheEndHearsItAll) {
  Process p(home);
  const auto r = p.settled(p.launch("tokens=5 rate=0"));
  const auto read = [](LiveLogs::Reader& reader, std::uint64_t cursor) -> aio::Task<std::shared_ptr<const Block>> {
    return reader.read(cursor);
  };
  LiveLogs::Reader at_end(p.logs, r.number), late(p.logs, r.number);
  EXPECT_FALSE(p.run(read(at_end, r.event_count)));
  EXPECT_TRUE(p.run(read(late, 0)));  // though nothing grows any more
}

TEST_F(LiveLogsTest, TwoReadersWhoJoinAtOnceBothHearIt) {
  Process p(home);
  const auto r = p.settled(p.launch("tokens=5 rate=0"));
  const auto first_block = [](LiveLogs& logs, store::RunNumber run) -> aio::Task<std::uint64_t> {
    LiveLogs::Reader reader(logs, run);
    for (;;) {
      if (const auto block = co_await reader.read(0)) co_return block->slice.end();
      co_await reader.wait(0);
    }
  };
  auto one = boost::asio::co_spawn(p.io, first_block(p.logs, r.number), boost::asio::use_future);
  auto two = boost::asio::co_spawn(p.io, first_block(p.logs, r.number), boost::asio::use_future);
  const auto ready = [](auto& future) { return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready; };
  p.turn_until([&] { return ready(one) && ready(two); });
  EXPECT_EQ(one.get(), r.event_count);
  EXPECT_EQ(two.get(), r.event_count);
}

}  // namespace
}  // namespace engine
