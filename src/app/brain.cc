#include "app/brain.h"

#include <cmath>
#include <vector>

#include "app/shape.h"
#include "app/templates.h"
#include "base/text.h"
#include "llm/provider_table.h"

namespace app {

namespace {

// The text of a scalar member, where there is one.
std::optional<std::string> text_of(const Node* map, std::string_view key) {
  const auto* node = map ? map->find(key) : nullptr;
  return node ? as_text(*node) : std::nullopt;
}

std::optional<std::int64_t> milliseconds(const Node* map, std::string_view key) {
  const auto* node = map ? map->find(key) : nullptr;
  const auto seconds = node ? as_number(*node) : std::nullopt;
  if (!seconds || *seconds <= 0 || *seconds > 1e9) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(*seconds * 1000));
}

// A secret whose variable is not set stays away, so that the registry can name the variable when the model is called.
std::optional<std::string> secret_of(const Node* config) {
  const auto* node = config ? config->find("api_key") : nullptr;
  if (!node || node->unresolved) return std::nullopt;
  auto text = as_text(*node);
  return text && !text->empty() ? text : std::nullopt;
}

// The variable that an api_key without a value names.
std::string unset_key(const Node* config) {
  const auto* node = config ? config->find("api_key") : nullptr;
  return node && node->unresolved ? unset_variable(*node) : "";
}

void check_provider(const Brain& brain, const std::string& path, Mark mark, Problems& problems) {
  if (brain.endpoint.backend == "github_copilot" || brain.provider == "github_copilot") {
    problems.add(path,
                 "'github_copilot' is not supported: it needs GitHub's own sign-in, which is not available here; "
                 "use openai_compat or anthropic with a key",
                 mark, Code::provider);
    return;
  }
  if (brain.provider.empty() || brain.endpoint.base_url || llm::find_provider(brain.provider) || !llm::harness_provider(brain.provider).empty()) return;
  std::vector<std::string_view> names;
  for (const auto& row : llm::provider_table()) names.push_back(row.name);
  // It may be one of config.yaml, which is not ours to read here; calling it fails if it is not.
  problems.warn(path,
                "'" + shown(brain.provider) + "' is no provider known by name" + did_you_mean(brain.provider, names) +
                    "; it needs base_url, or an entry in config.yaml",
                mark);
}

}  // namespace

Brain read_brain(const Node& block, const Node* providers, const std::string& path, Problems& problems) {
  Brain brain;
  const auto id = text_of(&block, "provider_id");
  const auto* named = id && providers ? providers->find(*id) : nullptr;
  const auto* config = block.find("config");

  brain.provider = text_of(&block, "provider").value_or(text_of(named, "provider").value_or(id.value_or("")));
  brain.model = text_of(&block, "model").value_or(text_of(named, "model").value_or(""));
  const auto harness = llm::harness_provider(brain.provider);  // a coding agent, which has a model of its own choice
  if (!harness.empty()) brain.provider = harness;
  if (!harness.empty() && brain.model.empty()) brain.model = llm::harness_model(harness);
  auto& endpoint = brain.endpoint;
  endpoint.provider = brain.provider;
  endpoint.backend = text_of(&block, "backend");
  if (!endpoint.backend) endpoint.backend = text_of(named, "backend");
  endpoint.api_key = secret_of(config);
  if (!endpoint.api_key) endpoint.api_key = secret_of(named);
  if (!endpoint.api_key) brain.unset_key = unset_key(config);
  if (!endpoint.api_key && brain.unset_key.empty()) brain.unset_key = unset_key(named);
  endpoint.base_url = text_of(config, "base_url");
  if (!endpoint.base_url) endpoint.base_url = text_of(named, "base_url");
  endpoint.timeout_ms = milliseconds(&block, "timeout");
  if (!endpoint.timeout_ms) endpoint.timeout_ms = milliseconds(config, "timeout");

  if (const auto* node = block.find("temperature")) brain.temperature = as_number(*node);
  if (const auto* node = block.find("top_p")) brain.top_p = as_number(*node);
  if (const auto* node = block.find("max_tokens")) brain.max_tokens = as_int(*node);

  if (block.is_map()) {
    if (brain.provider.empty()) problems.add(child(path, "provider"), "is required", block.mark, Code::missing);
    if (brain.model.empty() && harness.empty()) problems.add(child(path, "model"), "is required", block.mark, Code::missing);
    check_provider(brain, child(path, block.find("provider") ? "provider" : "backend"), block.mark, problems);
  }
  return brain;
}

}  // namespace app
