#pragma once
// Anthropic's Messages, streamed. Pure.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "llm/wire.h"

namespace llm {

class AnthropicMessages final : public WireFormat {
 public:
  explicit AnthropicMessages(std::string provider) : provider_(std::move(provider)) {}
  WireRequest write(const ModelRequest& request, const std::string& api_key) const override;
  std::unique_ptr<StreamDecoder> decoder(const ModelRequest& request) const override;

 private:
  std::string provider_;
};

// How a model is asked to think. Models up to Claude 4.5 (and other makers' models) take a budget of tokens; later Claudes
// refuse it and take an effort.
struct AnthropicThinking {
  enum class Mode { none, disabled, budget, adaptive };
  Mode mode = Mode::none;          // none: nothing is said about thinking
  std::int64_t budget_tokens = 0;  // mode budget
  std::string_view effort;         // mode adaptive: the provider's word
  bool show = false;               // mode adaptive: these models hide the thinking text unless asked
};
// `max_tokens` is the user's, which counts thinking too: a budget is cut to fit below it.
AnthropicThinking anthropic_thinking(std::string_view model, std::string_view effort, std::optional<std::int64_t> max_tokens);
// What is sent where the user sets none (the field is required): generous, but within every model's own limit.
std::int64_t anthropic_max_tokens(std::string_view model, const AnthropicThinking& thinking);

}  // namespace llm
