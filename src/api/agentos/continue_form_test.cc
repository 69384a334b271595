#include "api/agentos/continue_form.h"

#include <gtest/gtest.h>

#include "api/agentos/recording_fixture.h"
#include "api/agentos/run_tools.h"
#include "base/json.h"

namespace api::agentos {

namespace {

namespace json = boost::json;

std::string encoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::expected<ContinueForm, net::HttpResponse> read(std::string body) {
  Request request;
  request.http.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  request.http.body = std::move(body);
  return read_continue_form(request);
}

std::vector<ToolAnswer> answers(std::string_view tools) {
  auto form = read("session_id=s&tools=" + encoded(tools));
  EXPECT_TRUE(form) << form.error().body;
  return form ? form->answers : std::vector<ToolAnswer>();
}

const run::ToolCall kDanger{"call_1", "danger", R"({"x":"zap","n":1.0})"};
const run::ToolCall kOther{"call_2", "other", "{}"};

std::string told(const std::vector<run::ToolCall>& waiting, std::string_view tools) {
  const auto made = decide_calls(waiting, answers(tools));
  if (!made) return std::to_string(made.error().status) + " " + made.error().body;
  std::string text;
  for (const auto& d : made->decisions) text += d.call_id + (d.approved ? "+" : "-") + d.note + " ";
  return text;
}

// The 400s of agent-continue-refusals, word for word where the words are not Python's.
TEST(ContinueForm, RefusesAsRecorded) {
  int refusals = 0;
  for (const auto& exchange : recording("agent-continue-refusals")) {
    if (exchange.status != 400) continue;
    ++refusals;
    Request request;
    request.http = exchange.request;
    const auto form = read_continue_form(request);
    ASSERT_FALSE(form) << exchange.request.body;
    EXPECT_EQ(form.error().status, 400);
    const bool words_of_python = exchange.body.contains("'int' object");
    if (words_of_python)
      EXPECT_TRUE(form.error().body.starts_with(R"({"detail":"Invalid structure or content for tools: )"));
    else
      EXPECT_EQ(form.error().body, exchange.body);
  }
  EXPECT_EQ(refusals, 4);
}

TEST(ContinueForm, AcceptsAsRecorded) {
  const auto exchanges = recording("agent-pause-and-continue");
  Request request;
  request.http = exchanges.at(3).request;
  const auto form = read_continue_form(request);
  ASSERT_TRUE(form);
  EXPECT_EQ(form->session_id, "S9");
  EXPECT_TRUE(form->stream);
  EXPECT_TRUE(form->background);
  ASSERT_EQ(form->answers.size(), 1u);
  const run::ToolCall call{"call_1", "danger", R"({"x":"zap"})"};
  const auto made = decide_calls({call}, form->answers);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->decisions.size(), 1u);
  EXPECT_TRUE(made->decisions[0].approved);
}

TEST(ContinueForm, StructureOfTools) {
  for (const auto* tools :
       {"{}", "5", "\"x\"", "[1]", "[[]]", "[{}]", R"([{"tool_call_id":5}])", R"([{"tool_call_id":"c","confirmed":"yes"}])",
        R"([{"tool_call_id":"c","confirmed":1}])", R"([{"tool_call_id":"c","confirmation_note":[]}])"}) {
    const auto form = read("session_id=s&tools=" + encoded(tools));
    ASSERT_FALSE(form) << tools;
    EXPECT_EQ(form.error().status, 400) << tools;
    EXPECT_TRUE(form.error().body.starts_with(R"({"detail":"Invalid structure or content for tools: )")) << tools;
  }
  for (const auto* tools : {"null", "[]", ""}) EXPECT_TRUE(answers(tools).empty());
}

TEST(ContinueForm, ContinueFrom) {
  for (const auto* from : {"", "end"}) EXPECT_EQ(read(std::string("session_id=s&continue_from=") + from)->unsupported, "");
  for (const auto* from : {"last_user", "3", "-1"})
    EXPECT_EQ(read(std::string("session_id=s&continue_from=") + from)->unsupported, "continue_from");
  EXPECT_FALSE(read("session_id=s&continue_from=End"));
  EXPECT_EQ(read("session_id=s&fork=true")->unsupported, "fork");
  EXPECT_EQ(read("session_id=s&input=more")->unsupported, "input");
  EXPECT_EQ(read("session_id=s&fork=maybe").error().status, 422);
}

TEST(Decide, ApprovesAndRejects) {
  EXPECT_EQ(told({kDanger}, R"([{"tool_call_id":"call_1","confirmed":true}])"), "call_1+ ");
  EXPECT_EQ(told({kDanger}, R"([{"tool_call_id":"call_1","confirmed":false,"confirmation_note":"too risky"}])"),
            "call_1-too risky ");
  EXPECT_EQ(
      told({kDanger, kOther}, R"([{"tool_call_id":"call_2","confirmed":false},{"tool_call_id":"call_1","confirmed":true}])"),
      "call_2- call_1+ ");
}

TEST(Decide, WithoutADecisionNothingHappens) {  // R8
  static constexpr std::string_view kRefusal = R"(409 {"detail":"Cannot continue run - unresolved requirements: ['danger']"})";
  for (const auto* tools : {"", "[]", R"([{"tool_call_id":"call_1","confirmed":null}])", R"([{"tool_call_id":"call_1"}])"})
    EXPECT_EQ(told({kDanger}, tools), kRefusal) << tools;
  EXPECT_TRUE(told({kDanger, kOther}, "").contains("['danger', 'other']"));
}

TEST(Decide, HalfADecisionAndUnknownCallsAreTold) {  // R8
  EXPECT_TRUE(told({kDanger, kOther}, R"([{"tool_call_id":"call_1","confirmed":true}])").starts_with("422 "));
  EXPECT_TRUE(
      told({kDanger, kOther}, R"([{"tool_call_id":"call_1","confirmed":true},{"tool_call_id":"call_2"}])").starts_with("422 "));
  EXPECT_TRUE(told({kDanger}, R"([{"tool_call_id":"nope","confirmed":true}])")
                  .starts_with(R"(422 {"detail":[{"type":"value_error","loc":["body","tools"])"));
  EXPECT_TRUE(told({kDanger}, R"([{"tool_call_id":"call_1","confirmed":true},{"tool_call_id":"call_1","confirmed":false}])")
                  .starts_with("422 "));
}

TEST(Decide, OnlyTheCallThatWasShownCanBeApproved) {
  const auto with = [](std::string_view more) {
    return told({kDanger}, R"([{"tool_call_id":"call_1","confirmed":true,)" + std::string(more) + "}]");
  };
  EXPECT_EQ(with(R"("tool_name":"danger","tool_args":{"x":"zap","n":1})"), "call_1+ ") << "1 is 1.0";
  EXPECT_EQ(with(R"("tool_args":{"n":1.0,"x":"zap"})"), "call_1+ ") << "order";
  EXPECT_EQ(with(R"("tool_name":null,"tool_args":null)"), "call_1+ ");
  EXPECT_TRUE(with(R"("tool_name":"harmless")").starts_with("422 "));
  for (const auto* args :
       {R"({"x":"zip","n":1})", R"({"x":"zap"})", R"({"x":"zap","n":1,"more":2})", R"({"x":"zap","n":true})", "[]", "\"\""})
    EXPECT_TRUE(with("\"tool_args\":" + std::string(args)).starts_with("422 ")) << args;
}

TEST(Repeats, IsTheSameDecisionAgain) {  // R9
  const run::RunContinued made{{{"call_1", true, ""}, {"call_2", false, "no"}}};
  EXPECT_TRUE(repeats(
      made,
      answers(
          R"([{"tool_call_id":"call_2","confirmed":false,"confirmation_note":"no"},{"tool_call_id":"call_1","confirmed":true}])")));
  EXPECT_FALSE(repeats(
      made,
      answers(
          R"([{"tool_call_id":"call_2","confirmed":true,"confirmation_note":"no"},{"tool_call_id":"call_1","confirmed":true}])")));
  EXPECT_FALSE(
      repeats(made, answers(R"([{"tool_call_id":"call_2","confirmed":false},{"tool_call_id":"call_1","confirmed":true}])")));
  EXPECT_FALSE(repeats(made, answers(R"([{"tool_call_id":"call_1","confirmed":true}])")));
  EXPECT_FALSE(repeats(made, {}));
  EXPECT_FALSE(repeats({}, {}));
}

// What RunOutput lists of the calls, through a pause and its decisions.
TEST(RunTools, FollowACallThroughItsDecision) {
  RunTools tools;
  tools.take({1000, run::ToolCompleted{kOther, "done", false, 900, 100}});
  tools.take({2000, run::RunPaused{"", {kDanger, {"call_3", "danger", "{}"}}}});
  auto all = tools.tools();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].at("result"), "done");
  EXPECT_TRUE(all[0].at("requires_confirmation").is_null());
  EXPECT_EQ(all[1].at("requires_confirmation"), true);
  EXPECT_TRUE(all[1].at("result").is_null());
  EXPECT_EQ(tools.requirements().size(), 2u);
  EXPECT_EQ(tools.requirements()[0].at("created_at"), "1970-01-01T00:00:02+00:00");

  tools.take({3000, run::RunContinued{{{"call_1", true, ""}, {"call_3", false, "too risky"}}}});
  tools.take({4000, run::ToolCompleted{kDanger, "did zap", false, 3500, 500}});
  all = tools.tools();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].at("confirmed"), true);
  EXPECT_EQ(all[1].at("requires_confirmation"), false);
  EXPECT_EQ(all[1].at("result"), "did zap");
  EXPECT_EQ(all[2].at("confirmed"), false);
  EXPECT_EQ(all[2].at("confirmation_note"), "too risky");
  EXPECT_EQ(all[2].at("tool_call_error"), true);
  EXPECT_TRUE(all[2].at("result").is_null());
  EXPECT_EQ(tools.requirements()[1].at("tool_execution").at("confirmed"), false);
}

TEST(RunTools, AProviderMayUseAnIdAgain) {
  RunTools tools;
  tools.take({1000, run::ToolCompleted{kOther, "first", false, 900, 100}});
  tools.take({2000, run::ToolCompleted{kOther, "second", true, 1900, 100}});
  const auto all = tools.tools();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].at("result"), "first");
  EXPECT_EQ(all[1].at("result"), "second");
}

TEST(RunTools, DeepArgumentsAreShown) {
  std::string deep = "0";
  for (int i = 0; i < 60; ++i) deep = "{\"a\":" + deep + "}";
  RunTools tools;
  tools.take({1000, run::RunPaused{"", {{"c", "t", deep}}}});
  EXPECT_TRUE(tools.requirements()[0].at("tool_execution").at("tool_args").is_object());
}

}  // namespace

}  // namespace api::agentos
