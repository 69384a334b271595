#include "llm/model_spec.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "llm/provider_table.h"

namespace llm {

namespace {

// Longest first, so that "xhigh" is not read as "high".
constexpr std::array<std::string_view, 7> kEfforts = {"minimal", "medium", "xhigh", "none", "high", "low", "max"};

// Models whose own name ends in the word of an effort.
constexpr std::array<std::string_view, 6> kWholeNames = {"gpt-5.1-codex-max", "mistral-medium", "magistral-medium",
                                                         "devstral-medium",   "qwen-max",       "qwen3-max"};

constexpr std::size_t kSpecBytesMax = 256;

bool provider_name_ok(std::string_view name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-.") == name.npos;
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// Length of "-EFFORT" at the end of the model, or 0.
std::size_t effort_suffix(std::string_view model) {
  const auto slash = model.rfind('/');
  const auto name = slash == model.npos ? model : model.substr(slash + 1);
  if (std::find(kWholeNames.begin(), kWholeNames.end(), name) != kWholeNames.end()) return 0;
  for (const auto effort : kEfforts)
    if (name.size() > effort.size() + 1 && name.ends_with(effort) && name[name.size() - effort.size() - 1] == '-')
      return effort.size() + 1;
  return 0;
}

// "claude", "claude/opus-4-7-high": the model may be left out, and Claude's are written without their first word.
base::Result<ModelSpec> harness_spec(std::string_view text, std::size_t slash, std::string_view harness) {
  auto model = slash == text.npos ? std::string_view() : text.substr(slash + 1);
  if (slash != text.npos && model.empty())
    return base::fail(base::Errc::invalid_argument, "'" + std::string(text) + "' names no model: write " + std::string(text) + "MODEL, or leave the / out");
  const auto suffix = effort_suffix(model);
  ModelSpec spec{.provider = std::string(harness),
                 .model = std::string(model.substr(0, model.size() - suffix)),
                 .effort = std::string(suffix ? model.substr(model.size() - suffix + 1) : "")};
  if (harness == "gemini-code" && suffix)
    return base::fail(base::Errc::invalid_argument, "Provider 'gemini-code' does not support effort levels. Remove '-" + spec.effort + "' from '" + std::string(text) + "'.");
  if (harness == "codex" && spec.effort == "max") spec.effort = "xhigh";
  if (spec.model.empty()) spec.model = harness_model(harness);
  const bool has_version = spec.model.find_first_of("0123456789") != std::string::npos;
  if (harness == "claude" && has_version && !spec.model.starts_with("claude")) spec.model = "claude-" + spec.model;
  return spec;
}

}  // namespace

bool valid_effort(std::string_view effort) { return std::find(kEfforts.begin(), kEfforts.end(), effort) != kEfforts.end(); }

base::Result<ModelSpec> parse_model_spec(std::string_view text) {
  using base::Errc;
  text = base::trim(text);
  if (text.empty() || text.size() > kSpecBytesMax || !printable(text))
    return base::fail(Errc::invalid_argument,
                      "a model is written PROVIDER/MODEL, e.g. openai/gpt-5.1-high; known providers: " + known_providers());
  const auto slash = text.find('/');
  const auto provider = base::to_lower(text.substr(0, slash));
  if (const auto harness = harness_provider(provider); !harness.empty()) return harness_spec(text, slash, harness);
  if (slash == text.npos)
    return base::fail(
        Errc::invalid_argument,
        "model '" + std::string(text) + "' names no provider: write PROVIDER/MODEL; known providers: " + known_providers());
  if (!provider_name_ok(provider))
    return base::fail(Errc::invalid_argument, "'" + provider + "' is no provider's name; known providers: " + known_providers());
  const auto model = text.substr(slash + 1);
  const auto suffix = effort_suffix(model);
  ModelSpec spec{.provider = provider,
                 .model = std::string(model.substr(0, model.size() - suffix)),
                 .effort = std::string(suffix ? model.substr(model.size() - suffix + 1) : "")};
  if (spec.model.empty())
    return base::fail(Errc::invalid_argument, "'" + std::string(text) + "' names no model: write " + provider + "/MODEL");
  return spec;
}

}  // namespace llm
