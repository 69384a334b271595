// The table of `outlast monitor`.
#include "cli/monitor_table.h"

#include <gtest/gtest.h>

#include "cli/columns.h"

namespace cli {
namespace {

MonitorRow row(std::string id, std::string status, bool live) {
  return {.run_id = std::move(id),
          .kind = "agent",
          .status = std::move(status),
          .agent = "main",
          .model = "demo/fast",
          .text = "do\nit",
          .live = live};
}

TEST(ParseSince, TakesTimesWithAUnit) {
  EXPECT_EQ(parse_since("90"), 90'000);
  EXPECT_EQ(parse_since("90s"), 90'000);
  EXPECT_EQ(parse_since("30m"), 1'800'000);
  EXPECT_EQ(parse_since("1h"), 3'600'000);
  EXPECT_EQ(parse_since("2d"), 172'800'000);
  EXPECT_EQ(parse_since("0m"), 0);
  for (const auto* wrong : {"", "m", "-1m", "1.5h", "1w", "1 h", "1hh", "99999999999999999999", "9999999999d", "h1"})
    EXPECT_EQ(parse_since(wrong), std::nullopt) << wrong;
}

TEST(MonitorTable, IsOneLineForEachRun) {
  auto flow = row("20260420T140312-aaaaaaaaaaaa", "running", true);
  flow.children = {.pending = 1, .running = 1, .completed = 2, .failed = 1};
  auto op = row("20260420T140313-bbbbbbbbbbbb", "pending", true);
  op.depth = 1;
  op.orphan = true;
  auto ended = row("20260420T140314-cccccccccccc", "failed", false);
  ended.created_ms = 1'000;
  ended.ended_ms = 3'500;
  EXPECT_EQ(
      monitor_table({flow, op, ended}, 7, 200, 61'000),
      "  RUN                             KIND   STATUS   AGE  TIME   AGENT MODEL     CHILDREN  TEXT\n"
      "* 20260420T140312-aaaaaaaaaaaa    agent  running  1m   1m01s  main demo/fast  3/5 ✗1    do it\n"
      "!   20260420T140313-bbbbbbbbbbbb  agent  pending  1m   1m01s  main demo/fast  -         (waiting for an executor) do it\n"
      "  20260420T140314-cccccccccccc    agent  failed   1m   2.5s   main demo/fast  -         do it\n"
      "… and 7 more\n");
}

TEST(MonitorTable, KeepsToItsWidthAndCannotCommandATerminal) {
  auto one = row("r", "running", true);
  one.text = std::string(500, 'x');
  one.agent = "\x1b[31mred";
  const auto table = monitor_table({one}, 0, 80, 0);
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  for (std::size_t at = 0; at < table.size();) {
    const auto end = table.find('\n', at);
    EXPECT_LE(end - at, 80u + 8) << table;  // bytes: "…" and U+FFFD have three for one column
    at = end + 1;
  }
}

TEST(MonitorTable, LongNamesAreCutAndLeaveTheColumnsAligned) {
  auto named = row("20260420T140312-aaaaaaaaaaaa", "running", true);
  named.agent = "the-agent-that-writes-everything-down";
  auto wide = row("20260420T140312-bbbbbbbbbbbb", "running", true);
  wide.agent = "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字";
  auto modelled = row("20260420T140312-cccccccccccc", "running", true);
  modelled.model = "provider/a-model-with-a-name-that-fills-the-column";
  EXPECT_EQ(monitor_table({named, wide, modelled}, 0, 120, 61'000),
            "  RUN                           KIND   STATUS   AGE  TIME   AGENT MODEL                     CHILDREN  TEXT\n"
            "* 20260420T140312-aaaaaaaaaaaa  agent  running  1m   1m01s  the-agent-that-writ… demo/fast  -         do it\n"
            "* 20260420T140312-bbbbbbbbbbbb  agent  running  1m   1m01s  漢字漢字漢字漢字漢… demo/fast   -         do it\n"
            "* 20260420T140312-cccccccccccc  agent  running  1m   1m01s  main provider/a-model-with-a-…  -         do it\n");
}

TEST(MonitorTable, NoLineIsBrokenInTwo) {
  auto deep = row("20260420T140312-aaaaaaaaaaaa", "completed_empty", false);
  deep.agent = "漢字漢字漢字漢字";
  deep.depth = 9;
  deep.text = std::string(500, 'x');
  for (const std::size_t columns : {200u, 120u, 100u, 80u, 40u, 1u}) {
    const auto table = monitor_table({row("20260420T140312-bbbbbbbbbbbb", "running", true), deep}, 0, columns, 61'000);
    std::size_t lines = 0;
    for (std::size_t at = 0; at < table.size(); ++lines) {
      const auto end = table.find('\n', at);
      EXPECT_LE(columns_of(table.substr(at, end - at)), columns) << table;
      at = end + 1;
    }
    EXPECT_EQ(lines, 3u);
  }
}

TEST(MonitorDigest, ChangesWithWhatHappenedAlone) {
  auto one = row("r", "running", true);
  const auto before = monitor_digest({one}, 0);
  one.ended_ms = 5;
  EXPECT_EQ(monitor_digest({one}, 0), before);
  one.children.running = 1;
  const auto with_child = monitor_digest({one}, 0);
  EXPECT_NE(with_child, before);
  one.children = {.completed = 1};
  EXPECT_NE(monitor_digest({one}, 0), with_child);
  EXPECT_NE(monitor_digest({one}, 1), monitor_digest({one}, 0));
}

TEST(AllDone, LooksAtChildrenToo) {
  auto one = row("r", "completed", false);
  EXPECT_TRUE(all_done({one}));
  one.children.running = 1;
  EXPECT_FALSE(all_done({one}));
  EXPECT_TRUE(all_done({}));
}

}  // namespace
}  // namespace cli
