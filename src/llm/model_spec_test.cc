#include "llm/model_spec.h"

#include <gtest/gtest.h>

namespace llm {
namespace {

using base::Errc;

void expect_spec(std::string_view text, std::string_view provider, std::string_view model, std::string_view effort) {
  const auto spec = parse_model_spec(text);
  ASSERT_TRUE(spec.has_value()) << text;
  EXPECT_EQ(spec->provider, provider) << text;
  EXPECT_EQ(spec->model, model) << text;
  EXPECT_EQ(spec->effort, effort) << text;
}

TEST(ModelSpecTest, EffortIsStrippedFromTheEndLongestFirst) {
  expect_spec("openai/gpt-5.1-high", "openai", "gpt-5.1", "high");
  expect_spec("openai/gpt-5.1-xhigh", "openai", "gpt-5.1", "xhigh");
  expect_spec("openai/gpt-5.1-minimal", "openai", "gpt-5.1", "minimal");
  expect_spec("openai/gpt-5.1-none", "openai", "gpt-5.1", "none");
  expect_spec("anthropic/claude-opus-4-7-max", "anthropic", "claude-opus-4-7", "max");
  expect_spec("anthropic/claude-opus-4-7", "anthropic", "claude-opus-4-7", "");
  expect_spec("openrouter/anthropic/claude-sonnet-4.5-low", "openrouter", "anthropic/claude-sonnet-4.5", "low");
  expect_spec(" Demo/story ", "demo", "story", "");
  expect_spec("ollama/llama3.2:3b", "ollama", "llama3.2:3b", "");
}

TEST(ModelSpecTest, NamesThatEndInAnEffortWordStayWhole) {
  expect_spec("openai/gpt-5.1-codex-max", "openai", "gpt-5.1-codex-max", "");
  expect_spec("openai/gpt-5.1-codex-max-high", "openai", "gpt-5.1-codex-max", "high");
  expect_spec("mistral/mistral-medium", "mistral", "mistral-medium", "");
  expect_spec("openrouter/qwen/qwen3-max", "openrouter", "qwen/qwen3-max", "");
  expect_spec("x/high", "x", "high", "");
  expect_spec("x/-high", "x", "-high", "");
}

TEST(ModelSpecTest, CodingAgentsTakeAModelsPlace) {
  expect_spec("claude", "claude", "sonnet", "");
  expect_spec("claude-code/opus", "claude", "opus", "");
  expect_spec("claude_code/opus-4-7-high", "claude", "claude-opus-4-7", "high");
  expect_spec("claude/claude-opus-4-7", "claude", "claude-opus-4-7", "");
  expect_spec("codex", "codex", "", "");
  expect_spec("codex/gpt-5.3-codex-max", "codex", "gpt-5.3-codex", "xhigh");
  expect_spec("gemini-cli/gemini-3-flash", "gemini-code", "gemini-3-flash", "");
  expect_spec("gemini/gemini-3-flash-high", "gemini", "gemini-3-flash", "high");
  expect_spec("opencode/p/m", "opencode", "p/m", "");
}

TEST(ModelSpecTest, TextIsTheSpecAgain) {
  for (const auto* text : {"openai/gpt-5.1-high", "demo/story"}) EXPECT_EQ(parse_model_spec(text)->text(), text);
}

TEST(ModelSpecTest, ErrorsSayWhatIsWrong) {
  const auto message = [](std::string_view text, Errc code) {
    const auto spec = parse_model_spec(text);
    EXPECT_FALSE(spec.has_value()) << text;
    EXPECT_EQ(spec.error().code, code) << text;
    return spec.error().message;
  };
  EXPECT_NE(message("gpt-5", Errc::invalid_argument).find("PROVIDER/MODEL"), std::string::npos);
  EXPECT_NE(message("gpt-5", Errc::invalid_argument).find("anthropic, cerebras"), std::string::npos);
  EXPECT_NE(message("", Errc::invalid_argument).find("openai"), std::string::npos);
  EXPECT_NE(message("openai/", Errc::invalid_argument).find("names no model"), std::string::npos);
  message("/x", Errc::invalid_argument);
  message("open ai/x", Errc::invalid_argument);
  message("a\nb/x", Errc::invalid_argument);
  message(std::string(1'000, 'x'), Errc::invalid_argument);
  EXPECT_NE(message("gemini-code/x-high", Errc::invalid_argument).find("does not support effort levels. Remove '-high'"), std::string::npos);
  EXPECT_NE(message("claude/", Errc::invalid_argument).find("names no model"), std::string::npos);
}

TEST(ModelSpecTest, Efforts) {
  for (const auto* effort : {"none", "minimal", "low", "medium", "high", "xhigh", "max"}) EXPECT_TRUE(valid_effort(effort));
  for (const auto* effort : {"", "ultra", "High"}) EXPECT_FALSE(valid_effort(effort));
}

}  // namespace
}  // namespace llm
