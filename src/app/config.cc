#include "app/config.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "app/file.h"
#include "app/problems.h"
#include "app/shape.h"
#include "app/yaml.h"
#include "llm/model_spec.h"

namespace app {

namespace {

constexpr std::string_view kBackends[] = {"openai_compat", "anthropic"};
constexpr Field kProvider[] = {
    {"base_url", text()}, {"api_key", text()}, {"backend", one_of(kBackends)}, {"timeout", positive()}};
constexpr Shape kProviderShape = map_of(kProvider);
constexpr Field kRetention[] = {{"keep_days", integer(1, 36'500)}};
constexpr Field kServe[] = {{"max_concurrent_runs", integer(1, 100'000)}, {"max_pending_runs", integer(1, 10'000'000)}};
constexpr Field kHarness[] = {{"start_timeout", positive()}, {"idle_timeout", positive()}, {"after_result_timeout", positive()}, {"max_concurrent", integer(1, 10'000)}};
constexpr Field kPrice[] = {{"input", number(0, 1e6)}, {"output", number(0, 1e6)}, {"cache_read", number(0, 1e6)}, {"cache_write", number(0, 1e6)}};
constexpr Shape kPriceShape = map_of(kPrice);
constexpr Field kConfig[] = {{"providers", open_map(&kProviderShape)},
                             {"default_model", text()},
                             {"retention", map_of(kRetention)},
                             {"serve", map_of(kServe)},
                             {"harness", map_of(kHarness)},
                             {"prices", open_map(&kPriceShape)}};
constexpr Shape kConfigShape = map_of(kConfig);

std::optional<std::string> text_of(const Node& map, std::string_view key) {
  const auto* node = map.find(key);
  auto text = node ? as_text(*node) : std::nullopt;
  return text && !text->empty() ? text : std::nullopt;
}

// A key with braces in it would be sent to the provider as it stands.
void refuse_templates(const Node& node, const std::string& path, Problems& problems) {
  if (node.is_scalar() && node.text.find("{{") != std::string::npos)
    problems.add(path, "templates are not resolved in this file; leave the key out to take the environment's", node.mark,
                 Code::format);
  for (const auto& member : node.members) refuse_templates(member.value, child(path, member.key), problems);
}

// 0 where the key is not there, or its value was complained of.
std::int64_t milliseconds_of(const Node& map, std::string_view key) {
  const auto* node = map.find(key);
  const auto seconds = node ? as_number(*node) : std::nullopt;
  if (!seconds || *seconds <= 0 || *seconds >= 1e9) return 0;
  return std::max<std::int64_t>(1, std::llround(*seconds * 1000));
}

void read_providers(const Node& map, Config& config, Problems& problems) {
  for (const auto& member : map.members) {
    const auto path = child("providers", member.key);
    // Model specs are read with the provider in lower case.
    if (member.key.empty() || member.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-.") != std::string::npos)
      problems.add(path, "a provider's name consists of a-z 0-9 _ - .", member.mark, Code::format);
    llm::Endpoint endpoint;
    endpoint.provider = member.key;
    endpoint.base_url = text_of(member.value, "base_url");
    endpoint.api_key = text_of(member.value, "api_key");
    endpoint.backend = text_of(member.value, "backend");
    if (const auto timeout_ms = milliseconds_of(member.value, "timeout")) endpoint.timeout_ms = timeout_ms;
    config.providers.insert_or_assign(member.key, std::move(endpoint));
  }
}

void read_prices(const Node& map, Config& config, Problems& problems) {
  for (const auto& member : map.members) {
    const auto of = [&member](std::string_view key) {
      const auto* node = member.value.find(key);
      return node ? as_number(*node) : std::nullopt;
    };
    const auto input = of("input"), output = of("output");
    if (!member.value.is_map()) continue;  // complained of
    if (!member.value.find("input") || !member.value.find("output"))
      problems.add(child("prices", member.key), "needs input and output: US dollars for a million tokens", member.mark, Code::missing);
    config.prices.insert_or_assign(member.key, llm::Price{.input = input.value_or(0), .output = output.value_or(0), .cache_read = of("cache_read"), .cache_write = of("cache_write")});
  }
}

void warn_permissions(const Config& config, mode_t mode, Problems& problems) {
  bool secret = false;
  for (const auto& [name, endpoint] : config.providers) secret = secret || endpoint.api_key;
  if (!secret || (mode & 077) == 0) return;
  char octal[8];
  std::snprintf(octal, sizeof octal, "%04o", static_cast<unsigned>(mode & 07777));
  problems.warn("", std::string("holds an api_key and may be read by others (mode ") + octal + "): chmod 600 it", {});
}

}  // namespace

base::Result<Config> parse_config(std::string_view text, std::string_view file_name, mode_t mode) {
  Problems problems{std::string(file_name)};
  const auto root = parse_yaml(text, problems);
  if (!root) return std::unexpected(problems.error());
  Config config;
  if (!root->is_null() && !root->is_map()) problems.add("", "must be a map", root->mark, Code::unexpected_type);
  check_shape(*root, kConfigShape, "", problems);
  refuse_templates(*root, "", problems);
  if (const auto* providers = root->find("providers")) read_providers(*providers, config, problems);
  if (const auto* prices = root->find("prices")) read_prices(*prices, config, problems);
  config.default_model = text_of(*root, "default_model");
  if (config.default_model)
    if (const auto spec = llm::parse_model_spec(*config.default_model); !spec)
      problems.add("default_model", shown(spec.error().message), root->find("default_model")->mark, Code::provider);
  if (const auto* retention = root->find("retention"))
    if (const auto* days = retention->find("keep_days")) config.keep_days = as_int(*days);
  if (const auto* serve = root->find("serve")) {
    if (const auto* runs = serve->find("max_concurrent_runs")) config.max_concurrent_runs = as_int(*runs);
    if (const auto* runs = serve->find("max_pending_runs")) config.max_pending_runs = as_int(*runs);
  }
  if (const auto* harness = root->find("harness")) {
    if (const auto* runs = harness->find("max_concurrent")) config.harness_runs_max = as_int(*runs);
    config.harness = {.start_ms = milliseconds_of(*harness, "start_timeout"),
                      .idle_ms = milliseconds_of(*harness, "idle_timeout"),
                      .after_result_ms = milliseconds_of(*harness, "after_result_timeout")};
  }
  if (!problems.empty()) return std::unexpected(problems.error());
  warn_permissions(config, mode, problems);
  config.warnings = problems.warning_texts();
  return config;
}

base::Result<Config> load_config(const std::string& path) {
  const auto file = read_text_file(path);
  if (!file && file.error().code == base::Errc::not_found) return Config{};
  if (!file) return std::unexpected(file.error());
  return parse_config(file->text, path, file->mode);
}

}  // namespace app
