#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string problem(const std::string& text) {
  const auto config = parse_config(text, "config.yaml", 0600);
  EXPECT_FALSE(config);
  return config ? "" : config.error().message;
}

constexpr const char* kWhole = R"(providers:
  openai:
    api_key: sk-1
  local:
    base_url: http://localhost:9/v1
    backend: openai_compat
    timeout: 30
default_model: openai/gpt-5.1-high
retention:
  keep_days: 14
serve:
  max_concurrent_runs: 32
  max_pending_runs: 500
harness:
  start_timeout: 60
  idle_timeout: 0.5
  after_result_timeout: 12.25
prices:
  openai/gpt-5.1: {input: 1.25, output: 10, cache_read: 0.125}
  demo/*: {input: 3, output: 15}
)";

TEST(ConfigTest, ReadsEverything) {
  const auto config = parse_config(kWhole, "config.yaml", 0600);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->providers.at("openai").provider, "openai");
  EXPECT_EQ(config->providers.at("openai").api_key, "sk-1");
  EXPECT_EQ(config->providers.at("local").base_url, "http://localhost:9/v1");
  EXPECT_EQ(config->providers.at("local").backend, "openai_compat");
  EXPECT_EQ(config->providers.at("local").timeout_ms, 30'000);
  EXPECT_EQ(config->default_model, "openai/gpt-5.1-high");
  EXPECT_EQ(config->keep_days, 14);
  EXPECT_EQ(config->max_concurrent_runs, 32);
  EXPECT_EQ(config->max_pending_runs, 500);
  EXPECT_EQ(config->harness, (run::HarnessLimits{.start_ms = 60'000, .idle_ms = 500, .after_result_ms = 12'250}));
  EXPECT_EQ(config->prices.at("openai/gpt-5.1").cache_read, 0.125);
  EXPECT_EQ(config->prices.at("demo/*").output, 15);
  EXPECT_EQ(config->prices.at("demo/*").cache_write, std::nullopt);
  EXPECT_TRUE(config->warnings.empty());
}

TEST(ConfigTest, EmptyIsDefault) {
  for (const auto* text : {"", "# nothing\n", "---\n", "{}", "providers:\n", "providers: {openai: }\n"}) {
    const auto config = parse_config(text, "config.yaml", 0644);
    ASSERT_TRUE(config) << text << ": " << config.error().message;
    EXPECT_EQ(config->default_model, std::nullopt);
    EXPECT_EQ(config->harness, run::HarnessLimits{});
    EXPECT_TRUE(config->warnings.empty());
  }
}

TEST(ConfigTest, WarnsWhenKeysAreReadable) {
  EXPECT_THAT(parse_config(kWhole, "config.yaml", 0100644)->warnings,
              ElementsAre("holds an api_key and may be read by others (mode 0644): chmod 600 it (config.yaml)"));
  EXPECT_FALSE(parse_config(kWhole, "config.yaml", 0640)->warnings.empty());
  EXPECT_TRUE(parse_config(kWhole, "config.yaml", 0400)->warnings.empty());
}

TEST(ConfigTest, NamesMistakes) {
  EXPECT_EQ(problem("provders: {}\n"), "provders: unknown key, did you mean 'providers'? (config.yaml:1:1, DGT-E0101)");
  EXPECT_EQ(problem("providers: {openai: {apikey: x}}\n"),
            "providers.openai.apikey: unknown key, did you mean 'api_key'? (config.yaml:1:22, DGT-E0101)");
  EXPECT_THAT(problem("providers: {x: {backend: openai}}\n"), HasSubstr("must be one of: openai_compat, anthropic"));
  EXPECT_THAT(problem("providers: {OpenAI: {}}\n"), HasSubstr("a provider's name consists of"));
  EXPECT_THAT(problem("providers: []\n"), HasSubstr("must be a map, not a list"));
  EXPECT_THAT(problem("retention: {keep_days: 0}\nserve: {max_concurrent_runs: none}\n"),
              HasSubstr("retention.keep_days: must be at least 1"));
  EXPECT_THAT(problem("serve: {max_concurrent_runs: none}\n"), HasSubstr("must be an integer"));
  EXPECT_THAT(problem("harness: {idle_timeout: 0}\n"), HasSubstr("harness.idle_timeout: must be"));
  EXPECT_THAT(problem("harness: {idle: 5}\n"), HasSubstr("harness.idle: unknown key"));
  EXPECT_THAT(problem("prices: {openai/x: {input: 3}}\n"), HasSubstr("prices.openai/x: needs input and output"));
  EXPECT_THAT(problem("prices: {openai/x: {input: -3, output: 2}}\n"), HasSubstr("input: must be at least 0"));
  EXPECT_THAT(problem("default_model: gpt\n"), HasSubstr("default_model: model 'gpt' names no provider"));
  EXPECT_THAT(problem("providers: {openai: {api_key: '{{env.KEY}}'}}\n"), HasSubstr("templates are not resolved in this file"));
  EXPECT_THAT(problem("- a\n"), HasSubstr("must be a map"));
  EXPECT_THAT(problem("a: [\n"), HasSubstr("DGT-E0001"));
}

TEST(ConfigTest, MistakesDoNotQuoteKeys) {
  EXPECT_EQ(problem("providers: {openai: {api_key: [sk-secret]}}\n").find("sk-secret"), std::string::npos);
}

TEST(ConfigTest, LoadsFromAFile) {
  const auto directory = std::filesystem::temp_directory_path() / ("outlast-config-" + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  const auto path = (directory / "config.yaml").string();
  EXPECT_TRUE(load_config(path)) << "absent is default";
  std::ofstream(path) << kWhole;
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  EXPECT_THAT(load_config(path)->warnings, ElementsAre(HasSubstr("chmod 600 it (" + path + ")")));
  std::filesystem::permissions(path, std::filesystem::perms(0600));
  EXPECT_TRUE(load_config(path)->warnings.empty());
  EXPECT_FALSE(load_config(directory.string()));
  std::filesystem::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(load_config(path)) << "a fifo neither hangs nor loads";
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace app
