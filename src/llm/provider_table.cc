#include "llm/provider_table.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace llm {

namespace {

using enum Backend;

constexpr ProviderRow kProviders[] = {
    {"openai", openai_compat, "https://api.openai.com/v1", "OPENAI_API_KEY", Key::needed},
    {"anthropic", anthropic, "https://api.anthropic.com", "ANTHROPIC_API_KEY", Key::needed},
    {"demo", demo, "", "", Key::optional},
    {"deepseek", openai_compat, "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", Key::needed},
    {"groq", openai_compat, "https://api.groq.com/openai/v1", "GROQ_API_KEY", Key::needed},
    {"mistral", openai_compat, "https://api.mistral.ai/v1", "MISTRAL_API_KEY", Key::needed},
    {"together", openai_compat, "https://api.together.xyz/v1", "TOGETHER_API_KEY", Key::needed},
    {"openrouter", openai_compat, "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", Key::needed},
    {"gemini", openai_compat, "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY", Key::needed},
    {"google-gemini", openai_compat, "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY", Key::needed},
    {"xai", openai_compat, "https://api.x.ai/v1", "XAI_API_KEY", Key::needed},
    {"grok", openai_compat, "https://api.x.ai/v1", "XAI_API_KEY", Key::needed},
    {"cerebras", openai_compat, "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", Key::needed},
    {"perplexity", openai_compat, "https://api.perplexity.ai", "PERPLEXITY_API_KEY", Key::needed},
    {"fireworks", openai_compat, "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", Key::needed},
    {"ollama", openai_compat, "http://localhost:11434/v1", "OLLAMA_API_KEY", Key::optional},
    {"lm_studio", openai_compat, "http://localhost:1234/v1", "LM_STUDIO_API_KEY", Key::optional},
    {"vllm", openai_compat, "http://localhost:8000/v1", "VLLM_API_KEY", Key::optional},
    {"llama_cpp", openai_compat, "http://localhost:8080/v1", "LLAMA_CPP_API_KEY", Key::optional},
};

struct Spelling {
  std::string_view written;
  std::string_view meant;
};
constexpr Spelling kSpellings[] = {
    {"lm-studio", "lm_studio"}, {"lmstudio", "lm_studio"},          {"llama-cpp", "llama_cpp"}, {"llama.cpp", "llama_cpp"},
    {"llamacpp", "llama_cpp"},  {"google_gemini", "google-gemini"}, {"google", "gemini"},
};

// "gemini" alone is the API.
constexpr Spelling kHarnesses[] = {{"claude", "claude"},           {"claude-code", "claude"},     {"claude_code", "claude"},
                                   {"codex", "codex"},             {"gemini-code", "gemini-code"}, {"gemini_code", "gemini-code"},
                                   {"gemini-cli", "gemini-code"},  {"gemini_cli", "gemini-code"}, {"opencode", "opencode"}};

}  // namespace

std::span<const ProviderRow> provider_table() { return kProviders; }

const ProviderRow* find_provider(std::string_view name) {
  for (const auto& spelling : kSpellings)
    if (spelling.written == name) name = spelling.meant;
  const auto at = std::ranges::find(kProviders, name, &ProviderRow::name);
  return at == std::end(kProviders) ? nullptr : at;
}

std::string known_providers() {
  std::vector<std::string_view> names;
  for (const auto& row : kProviders) names.push_back(row.name);
  std::ranges::sort(names);
  std::string out;
  for (const auto name : names) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

base::Error unknown_provider(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& row : kProviders) names.push_back(row.name);
  auto message = "unknown provider '" + std::string(name) + "'";
  if (const auto meant = base::nearest(name, names)) message += ", did you mean '" + std::string(*meant) + "'?";
  message += " Known providers: " + known_providers();
  return {base::Errc::invalid_argument, std::move(message)};
}

std::string_view harness_provider(std::string_view name) {
  const auto at = std::ranges::find(kHarnesses, name, &Spelling::written);
  return at == std::end(kHarnesses) ? std::string_view() : at->meant;
}

std::string_view harness_model(std::string_view provider) { return provider == "claude" ? "sonnet" : ""; }

std::string known_harness_providers() { return "claude, codex, gemini-code, opencode"; }

}  // namespace llm
