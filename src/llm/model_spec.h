#pragma once
// `provider/model[-effort]`, e.g. openai/gpt-5.1-high, anthropic/claude-opus-4-7, demo/story.
#include <string>
#include <string_view>

#include "base/error.h"

namespace llm {

struct ModelSpec {
  std::string provider;
  std::string model;
  std::string effort;  // "" or none minimal low medium high xhigh max
  std::string text() const { return provider + "/" + model + (effort.empty() ? "" : "-" + effort); }
};

// The effort is stripped from the end, longest name first. Errors name what is wrong and list the known providers.
base::Result<ModelSpec> parse_model_spec(std::string_view text);
bool valid_effort(std::string_view effort);

}  // namespace llm
