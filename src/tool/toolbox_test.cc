#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/error.h"
#include "base/limits.h"
#include "base/text.h"
#include "tool/tool_fixture.h"

namespace tool {
namespace {

// Answers with a given text, or throws.
class EchoTool final : public Tool {
 public:
  EchoTool(std::string name, std::string module, std::string action, std::string text) : text_(std::move(text)) {
    definition_.name = std::move(name);
    definition_.module = std::move(module);
    definition_.action = std::move(action);
    definition_.schema = R"({"type":"object","properties":{},"additionalProperties":false})";
  }
  const Definition& definition() const override { return definition_; }
  aio::Task<Outcome> call(boost::json::object, Context) override {
    if (text_ == "throw") throw base::Broken("the disk is gone");
    co_return Outcome{text_, false};
  }

 private:
  Definition definition_;
  std::string text_;
};

class ToolboxTest : public ToolTest {
 protected:
  static Toolbox box(std::vector<std::unique_ptr<Tool>> tools) { return Toolbox(std::move(tools)); }
  static std::vector<std::unique_ptr<Tool>> one(std::string text) {
    std::vector<std::unique_ptr<Tool>> tools;
    tools.push_back(std::make_unique<EchoTool>("Echo", "test", "echo", std::move(text)));
    return tools;
  }
};

TEST_F(ToolboxTest, FindsToolsByNameAndAlias) {
  Tool* read = toolbox.find("Read");
  ASSERT_NE(read, nullptr);
  for (const auto* name : {"read", "READ", "filesystem.read", "filesystem__read", "FileSystem.Read", " Read "})
    EXPECT_EQ(toolbox.find(name), read) << name;
  for (const auto* name : {"", "rea", "filesystem", "filesystem_read", "shell.read", "."})
    EXPECT_EQ(toolbox.find(name), nullptr) << name;
}

TEST_F(ToolboxTest, ANameBeatsAnAlias) {
  std::vector<std::unique_ptr<Tool>> tools;
  tools.push_back(std::make_unique<EchoTool>("WsRead", "workspace", "read", "alias"));
  tools.push_back(std::make_unique<EchoTool>("Read", "filesystem", "read", "name"));
  const Toolbox mixed(std::move(tools));
  EXPECT_EQ(mixed.find("read")->definition().name, "Read");
  EXPECT_EQ(mixed.find("workspace.read")->definition().name, "WsRead");
}

TEST_F(ToolboxTest, ListsTheFileToolsWithTheirSideEffects) {
  std::map<std::string, SideEffect> effects;
  for (const auto* definition : toolbox.definitions()) {
    effects[definition->name] = definition->side_effect;
    EXPECT_EQ(definition->module, "filesystem");
    EXPECT_FALSE(definition->description.empty());
  }
  const std::map<std::string, SideEffect> expected{{"Read", SideEffect::idempotent},
                                                   {"Write", SideEffect::idempotent},
                                                   {"Edit", SideEffect::at_most_once},
                                                   {"Glob", SideEffect::idempotent},
                                                   {"Grep", SideEffect::idempotent}};
  EXPECT_EQ(effects, expected);
}

TEST_F(ToolboxTest, UnknownToolsAreErrorOutcomes) {
  EXPECT_EQ(fails("Raed", {}), "Tool 'Raed' not found. Did you mean 'Read'?");
  EXPECT_EQ(fails("launch_rocket", {}), "Tool 'launch_rocket' not found.");
  EXPECT_TRUE(base::valid_utf8(fails(std::string("\xff\xfe") + std::string(500, 'x'), {})));
}

TEST_F(ToolboxTest, ArgumentProblemsNameTheTool) {
  EXPECT_EQ(fails("Read", {}), "Read: 'file_path' is required");
  EXPECT_EQ(call("filesystem.read", std::string("{\"file_path\"")).text.substr(0, 40),
            "Read: the arguments are not valid JSON: ");
  EXPECT_EQ(fails("Read", {{"pth", "a"}}), "Read: 'file_path' is required; unknown argument 'pth', did you mean 'path'?");
}

TEST_F(ToolboxTest, CutsResultsThatAreTooLongAndSaysSo) {
  const std::string text = "begin" + std::string(base::limits::kToolResultBytesMax, 'x') + "the end";
  const Toolbox long_winded(one(text));
  const auto outcome = await(long_winded.call("Echo", "", {}));
  EXPECT_LE(outcome.text.size(), base::limits::kToolResultBytesMax);
  EXPECT_TRUE(outcome.text.starts_with("beginx"));
  EXPECT_TRUE(outcome.text.ends_with("xthe end"));
  EXPECT_NE(outcome.text.find(" bytes cut …]"), std::string::npos);
}

TEST_F(ToolboxTest, ResultsAreValidUtf8) {
  const Toolbox garbled(one("a\xff"));
  EXPECT_EQ(await(garbled.call("echo", "{}", {})).text, "a\xEF\xBF\xBD");
}

TEST_F(ToolboxTest, ABrokenWorldComesThrough) {
  const Toolbox broken(one("throw"));
  EXPECT_THROW(await(broken.call("echo", "{}", {})), base::Broken);
}

TEST_F(ToolboxTest, AMissingWorkDirectoryIsAnErrorOutcome) {
  const auto outcome = await(toolbox.call("Read", R"({"path":"a"})", {"run", "call", (temporary.path() / "gone").string()}));
  EXPECT_TRUE(outcome.is_error);
  EXPECT_NE(outcome.text.find("the work directory cannot be opened"), std::string::npos) << outcome.text;
  EXPECT_TRUE(await(toolbox.call("Read", R"({"path":"a"})", {"run", "call", "relative"})).is_error);
}

}  // namespace
}  // namespace tool
