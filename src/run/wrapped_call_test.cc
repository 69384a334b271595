#include "run/wrapped_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace run {
namespace {

using testing::HasSubstr;

boost::json::object object(std::string_view text) { return base::parse_json(text)->as_object(); }

std::string launch(std::string_view text) {
  const auto call = wrapped_launch(object(text));
  return call ? call->name + " " + base::to_text(call->arguments) : call.error().message;
}

TEST(WrappedCall, TakesAllDocumentedNames) {
  for (const auto* text : {R"({"name":"Bash","params":{"command":"a"}})", R"({"tool":"Bash","args":{"command":"a"}})",
                           R"({"tool_name":"Bash","arguments":"{\"command\":\"a\"}"})", R"({"action":"Bash","input":{"command":"a"}})",
                           R"({"name":"Bash","parameters":{"command":"a","run_in_background":true}})"})
    EXPECT_EQ(launch(text), R"(Bash {"command":"a"})") << text;
  EXPECT_EQ(launch(R"({"name":"Bash"})"), "Bash {}");
  EXPECT_EQ(launch(R"({"name":"Bash","params":null})"), "Bash {}");
  EXPECT_EQ(launch(R"({"name":"Bash","params":"  "})"), "Bash {}");
  EXPECT_EQ(launch(R"({"task_id":"x"})"), " {}");
  for (const auto* text : {R"({"name":"Bash","params":"{oops"})", R"({"name":"Bash","params":[1]})", R"({"name":"Bash","params":7})"})
    EXPECT_THAT(launch(text), HasSubstr("`params` for \"Bash\" is not valid JSON")) << text;
}

TEST(WrappedCall, ListsUnderAnyName) {
  for (const auto* key : {"actions", "tasks", "calls", "tools", "invocations", "steps", "items"}) {
    const auto list = wrapped_list(object("{\"" + std::string(key) + R"(":[{"name":"A"},{"tool":"B","args":{"x":1}}]})"));
    ASSERT_TRUE(list) << key;
    EXPECT_EQ(list->size(), 2u);
    EXPECT_EQ(list->back().name, "B");
  }
  EXPECT_EQ(wrapped_list(object(R"({"actions":"[{\"name\":\"A\"}]"})"))->size(), 1u);
  for (const auto* text : {R"({})", R"({"actions":{}})", R"({"actions":["A"]})", R"({"actions":"[oops"})"})
    EXPECT_FALSE(wrapped_list(object(text))) << text;
}

TEST(WrappedCall, OnlyTheTwoToolsWrap) {
  EXPECT_EQ(wrapped_calls("background_run", R"({"name":"Bash","params":{}})").front().name, "Bash");
  EXPECT_EQ(wrapped_calls("run_parallel", R"({"actions":[{"name":"Bash"},{"name":"Read"}]})").size(), 2u);
  EXPECT_TRUE(wrapped_calls("background_run", R"({"task_id":"x","wait":true})").empty());
  EXPECT_TRUE(wrapped_calls("Bash", R"({"name":"Bash"})").empty());
  EXPECT_TRUE(wrapped_calls("background_run", "{oops").empty());
  EXPECT_EQ(wrapped_calls("background_run", R"("{\"name\":\"Bash\"}")").front().name, "Bash") << "the object once more as text";
  EXPECT_TRUE(wrapped_calls("", R"({"name":"Bash"})").empty());
}

}  // namespace
}  // namespace run
