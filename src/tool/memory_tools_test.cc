#include "tool/memory_tools.h"

#include <gmock/gmock.h>

#include <map>

#include "base/json.h"
#include "base/limits.h"
#include "tool/memory.h"
#include "tool/tool_fixture.h"

namespace tool {
namespace {

using run::MemoryEntry;
using run::MemoryKind;
using testing::HasSubstr;

// One session's, as the store would keep it.
class FakeMemory final : public Memory {
 public:
  aio::Task<base::Result<MemoryEntry>> add(const Context&, MemoryEntry entry) override {
    if (full) co_return base::fail(base::Errc::busy, "full");
    entry.number = static_cast<std::int64_t>(entries.size()) + 1;
    entries.push_back(entry);
    co_return entry;
  }
  aio::Task<base::Result<MemoryEntry>> change(const Context&, std::int64_t number, run::MemoryChange change) override {
    if (number < 1 || number > std::ssize(entries)) co_return base::fail(base::Errc::not_found, "none");
    auto& entry = entries[static_cast<std::size_t>(number - 1)];
    entry.status = change.status.value_or(entry.status);
    entry.content = change.content.value_or(entry.content);
    co_return entry;
  }
  aio::Task<base::Result<>> forget(const Context&, std::int64_t number) override {
    forgotten = number;
    co_return base::Result<>{};
  }
  aio::Task<base::Result<Recalled>> recall(const Context&, std::string given, std::size_t limit) override {
    words = given;
    Recalled found{entries, std::ssize(entries)};
    if (found.entries.size() > limit) found.entries.resize(limit);
    co_return found;
  }

  std::vector<MemoryEntry> entries;
  std::int64_t forgotten = 0;
  std::string words;
  bool full = false;
};

class MemoryToolsTest : public ToolTest {
 protected:
  Outcome call(const std::string& name, const std::string& arguments) {
    Context context{.run_id = "run", .call_id = "call"};
    context.memory = &memory;
    return await(tools.call(name, arguments, std::move(context)));
  }
  boost::json::object ok(const std::string& name, const std::string& arguments) {
    const auto outcome = call(name, arguments);
    EXPECT_FALSE(outcome.is_error) << outcome.text;
    const auto value = base::parse_json(outcome.text);
    return value ? value->as_object() : boost::json::object();
  }
  std::string fails(const std::string& name, const std::string& arguments) {
    const auto outcome = call(name, arguments);
    EXPECT_TRUE(outcome.is_error) << outcome.text;
    return outcome.text;
  }

  FakeMemory memory;
  Toolbox tools{memory_tools()};
};

TEST_F(MemoryToolsTest, EachNotesItsKind) {
  EXPECT_EQ(base::to_text(ok("remember", R"({"content":" a fact ","category":"build","importance":0.5})")),
            R"({"id":1,"remembered":true})");
  EXPECT_EQ(base::to_text(ok("set_goal", R"({"goal":"ship"})")), R"({"id":2,"goal":"ship"})");
  EXPECT_EQ(base::to_text(ok("task_create", R"({"subject":"write","description":"all of it"})")),
            R"({"id":3,"status":"pending"})");
  ASSERT_EQ(memory.entries.size(), 3u);
  EXPECT_EQ(memory.entries[0].content, "a fact");
  EXPECT_EQ(memory.entries[0].importance, "0.5");
  EXPECT_EQ(memory.entries[1].kind, MemoryKind::goal);
  EXPECT_EQ(memory.entries[2].content, "write\nall of it");
  const auto changed = ok("task_update", R"({"id":3,"status":"in_progress"})");
  EXPECT_EQ(changed.at("status"), "in_progress");
  EXPECT_EQ(changed.at("content"), "write\nall of it");
  EXPECT_EQ(base::to_text(ok("forget", R"({"id":"1"})")), R"({"id":1,"forgotten":true})");
  EXPECT_EQ(memory.forgotten, 1);
}

TEST_F(MemoryToolsTest, OtherNamesAreUnderstood) {
  for (const auto* name : {"Remember", "memory.remember", "memory__remember"}) ok(name, R"({"text":"a"})");
  for (const auto* arguments : {R"({"content":"t"})", R"({"title":"t"})", R"({"subject":"t","description":null})"}) {
    ok("TaskCreate", arguments);
    EXPECT_EQ(memory.entries.back().content, "t");
  }
  EXPECT_EQ(ok("TaskUpdate", R"({"taskId":"4","state":"completed","subject":"u"})").at("content"), "u");
  ok("SetGoal", R"({"content":"ship"})");
}

TEST_F(MemoryToolsTest, WhatCannotBeNotedIsRefusedWithTheReason) {
  EXPECT_THAT(fails("remember", "{}"), HasSubstr("remember: 'content' is required"));
  EXPECT_THAT(fails("remember", R"({"content":" \n "})"), HasSubstr("'content' must not be empty"));
  EXPECT_THAT(fails("remember", R"({"content":7})"), HasSubstr("must be a string"));
  const std::string most(base::limits::kMemoryEntryBytesMax, 'x');
  ok("remember", R"({"content":")" + most + R"("})");
  EXPECT_THAT(fails("remember", R"({"content":"x)" + most + R"("})"), HasSubstr("16385 bytes, the limit is 16384"));
  EXPECT_THAT(fails("task_create", R"({"subject":"x","description":")" + most + R"("})"), HasSubstr("'description' is too long"));
  EXPECT_THAT(fails("remember", R"({"content":"a","category":")" + std::string(65, 'x') + R"("})"),
              HasSubstr("'category' is too long"));
  EXPECT_THAT(fails("task_update", R"({"id":1})"), HasSubstr("give 'status' or 'content'"));
  EXPECT_THAT(fails("task_update", R"({"id":1,"status":"complete"})"), HasSubstr("did you mean 'completed'?"));
  EXPECT_THAT(fails("task_update", R"({"id":9,"status":"completed"})"), HasSubstr("task_update: none"));
  EXPECT_THAT(fails("recall", R"({"limit":201})"), HasSubstr("at most 200"));
  memory.full = true;
  EXPECT_EQ(fails("set_goal", R"({"goal":"a"})"), "set_goal: full");
  EXPECT_EQ(await(tools.call("recall", "{}", {"run", "call"})).text, "recall: nothing can be noted here");
}

TEST_F(MemoryToolsTest, ARecallFitsAResultHoweverItIsEscaped) {
  for (int i = 0; i < 30; ++i)
    memory.entries.push_back({.number = i + 1, .content = std::string(base::limits::kMemoryEntryBytesMax, '\x01')});
  const auto escaped = ok("recall", "{}");
  EXPECT_EQ(escaped.at("entries").as_array().size(), 1u);
  EXPECT_EQ(escaped.at("left_out"), 29);
  for (auto& entry : memory.entries) entry.content = "short";
  const auto all = ok("recall", R"({"query":" Sh "})");
  EXPECT_EQ(memory.words, "Sh");
  EXPECT_EQ(all.at("entries").as_array().size(), 30u);
  EXPECT_FALSE(all.contains("left_out"));
  EXPECT_EQ(ok("recall", R"({"limit":2})").at("left_out"), 28);
}

TEST_F(MemoryToolsTest, ACallMayBeMadeAgain) {
  for (const auto* definition : tools.definitions())
    EXPECT_EQ(definition->side_effect, SideEffect::idempotent) << definition->name;
}

}  // namespace
}  // namespace tool
