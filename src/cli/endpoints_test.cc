#include "cli/endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace cli {
namespace {

using testing::HasSubstr;

class EndpointsTest : public testing::Test {
 protected:
  EndpointsTest() {
    std::filesystem::create_directories(directory_);
    spec_.provider = "openai";
    spec_.base_url = "http://here/v1";
    spec_.definition = {file_, "main"};
  }
  ~EndpointsTest() override { std::filesystem::remove_all(directory_); }

  // Another size each time, so that the change is seen however coarse the file system's clock is.
  void write(const std::string& key, const std::string& base_url = "http://here/v1", const std::string& agent = "main") {
    std::ofstream(file_) << "app: {app_id: x, name: X}\nagents:\n  - id: " << agent
                         << "\n    brain: {provider: openai, model: m, config: {api_key: '" << key << "', base_url: '" << base_url
                         << "'}}\n"
                         << "#" << std::string(++written_, '#') << "\n";
  }
  static std::optional<std::string> environment(std::string_view name) {
    return name == "KEY" ? std::optional<std::string>("sk-env") : std::nullopt;
  }

  const std::filesystem::path directory_ = std::filesystem::path(testing::TempDir()) / ("endpoints-" + std::to_string(getpid()));
  const std::string file_ = (directory_ / "app.yaml").string();
  run::Spec spec_;
  Endpoints endpoints_{nullptr, environment};
  std::size_t written_ = 0;
};

TEST_F(EndpointsTest, ARunOfNoFileHasNoKey) {
  spec_.definition = {};
  spec_.limits.model_call_ms = 7;
  const auto endpoint = endpoints_.of({}, spec_);
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->api_key, std::nullopt);
  EXPECT_EQ(endpoint->base_url, "http://here/v1");
  EXPECT_EQ(endpoint->timeout_ms, 7);
}

TEST_F(EndpointsTest, TheKeyIsReadFromTheFileAndAgainWhenItChanges) {
  write("{{env.KEY}}");
  EXPECT_EQ(endpoints_.of({}, spec_)->api_key, "sk-env");
  write("sk-rotated");
  EXPECT_EQ(endpoints_.of({}, spec_)->api_key, "sk-rotated");
}

TEST_F(EndpointsTest, AKeyThatWasFoundOutlastsTheFile) {
  write("sk-1");
  EXPECT_EQ(endpoints_.of({}, spec_)->api_key, "sk-1");
  std::filesystem::remove(file_);
  EXPECT_EQ(endpoints_.of({}, spec_)->api_key, "sk-1");
  std::ofstream(file_) << "app: {half of it";
  EXPECT_EQ(endpoints_.of({}, spec_)->api_key, "sk-1");
}

TEST_F(EndpointsTest, WithoutTheFileTheRunWaits) {
  const auto endpoint = endpoints_.of({}, spec_);
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, base::Errc::unavailable);
  EXPECT_THAT(endpoint.error().message, HasSubstr("its app file cannot be read: '" + file_ + "' does not exist"));
}

TEST_F(EndpointsTest, AKeyGoesToNoOtherPlaceThanTheOneItIsFor) {
  write("sk-1", "http://elsewhere/v1");
  EXPECT_THAT(endpoints_.of({}, spec_).error().message, HasSubstr("calls another provider or base_url now"));
  write("sk-1", "http://here/v1", "other");
  EXPECT_THAT(endpoints_.of({}, spec_).error().message, HasSubstr("has no agent 'main' any more"));
  write("{{env.NONE}}");
  EXPECT_THAT(endpoints_.of({}, spec_).error().message, HasSubstr("no api_key here"));
}

TEST_F(EndpointsTest, AnAgentWithoutAKeyNeedsNothingOfItsFile) {
  app::Agent agent;
  agent.id = "main";
  agent.file = file_;
  run::Spec spec;
  note_keys(app::App{}, agent, spec);
  EXPECT_EQ(spec.definition.file, "");
  agent.brain.endpoint.api_key = "sk";
  note_keys(app::App{}, agent, spec);
  EXPECT_EQ(spec.definition.file, file_);
  EXPECT_EQ(spec.definition.agent, "main");
  // A file that is named for something else, and is gone, keeps nobody from calling.
  spec_.definition.has_key = false;
  const auto endpoint = endpoints_.of({}, spec_);
  ASSERT_TRUE(endpoint) << endpoint.error().message;
  EXPECT_EQ(endpoint->api_key, std::nullopt);
}

}  // namespace
}  // namespace cli
