#include "cli/provider_check.h"

#include "llm/provider_table.h"

namespace cli {

namespace {

// "lm-studio" + "_API_KEY" -> "LM_STUDIO_API_KEY", as the registry looks it up.
std::string variable(std::string_view name, std::string_view suffix) {
  std::string out;
  for (const char c : name) {
    const bool lower = c >= 'a' && c <= 'z';
    const bool plain = lower || (c >= '0' && c <= '9');
    out += lower ? static_cast<char>(c - 'a' + 'A') : plain ? c : '_';
  }
  return out + std::string(suffix);
}

std::string key_source(const Settings& settings, const std::string& name, const llm::ProviderRow* row) {
  const auto at = settings.config.providers.find(name);
  if (at != settings.config.providers.end() && at->second.api_key) return "config.yaml";
  if (const auto own = variable(name, "_API_KEY"); settings.environment(own)) return own;
  if (row && !row->key_variable.empty() && settings.environment(row->key_variable)) return std::string(row->key_variable);
  return {};
}

ProviderCheck check(const llm::Registry& models, const Settings& settings, const std::string& name) {
  const auto* row = llm::find_provider(name);
  ProviderCheck out{.name = name, .key_from = {}, .detail = {}};
  if (row && row->backend == llm::Backend::demo) {
    out.usable = true;
    out.detail = "scripted, offline: plays scripts such as demo/story; no model, no key, no network";
    return out;
  }
  const auto usable = models.usable({.provider = name, .backend = {}, .base_url = {}, .api_key = {}, .timeout_ms = {}});
  out.usable = usable.has_value();
  out.key_from = key_source(settings, name, row);
  if (!usable)
    out.detail = usable.error().message;
  else if (!out.key_from.empty())
    out.detail = "key from " + out.key_from;
  else
    out.detail = row && row->key == llm::Key::optional ? "no key needed; expects a server at " + std::string(row->base_url)
                                                       : "no key (base URL of your own)";
  if (settings.environment(variable(name, "_BASE_URL"))) out.detail += "; base URL from " + variable(name, "_BASE_URL");
  return out;
}

}  // namespace

std::vector<ProviderCheck> check_providers(const Settings& settings) {
  boost::asio::io_context io;
  aio::SystemTime time(io);
  net::HttpClient http(io);
  const llm::Registry models(
      http, time, {.environment = settings.environment, .configured = settings.config.providers, .script_directory = ""});
  std::vector<ProviderCheck> checks;
  for (const auto& row : llm::provider_table()) checks.push_back(check(models, settings, std::string(row.name)));
  for (const auto& [name, endpoint] : settings.config.providers)
    if (!llm::find_provider(name)) checks.push_back(check(models, settings, name));
  return checks;
}

}  // namespace cli
