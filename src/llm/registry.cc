#include "llm/registry.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/text.h"
#include "llm/anthropic_messages.h"
#include "llm/demo.h"
#include "llm/http_provider.h"
#include "llm/openai_chat.h"
#include "llm/provider_table.h"

namespace llm {

namespace {

using base::Errc;

// Everything that is needed to make a provider.
struct Target {
  std::string name;
  Backend backend = Backend::openai_compat;
  std::string base_url;
  std::string api_key;
  std::optional<std::int64_t> timeout_ms;
};

// The explicit field, else config.yaml's.
template <class T>
std::optional<T> first_of(const std::optional<T>& explicit_value, const std::optional<T>& configured) {
  return explicit_value ? explicit_value : configured;
}

// "lm_studio" → "LM_STUDIO_API_KEY"
std::string variable(std::string_view provider, std::string_view suffix) {
  std::string out;
  for (const char c : provider)
    out += std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : '_';
  return out + std::string(suffix);
}

// An environment variable that is set and not empty; a newline from a file of secrets is no part of it.
std::optional<std::string> look_up(const Environment& environment, std::string_view name) {
  if (!environment || name.empty()) return std::nullopt;
  const auto value = environment(name);
  if (!value || base::trim(*value).empty()) return std::nullopt;
  return std::string(base::trim(*value));
}

base::Result<Backend> parse_backend(std::string_view name) {
  if (name == "openai_compat" || name == "openai") return Backend::openai_compat;
  if (name == "anthropic") return Backend::anthropic;
  return base::fail(Errc::unsupported,
                    "backend '" + std::string(name) + "' is not available; known backends: anthropic, openai_compat");
}

base::Result<std::string> checked_base_url(std::string url, Backend backend) {
  while (url.ends_with('/')) url.pop_back();
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return base::fail(Errc::invalid_argument, "a base URL must begin with http:// or https://");
  // By convention Anthropic's base URL has no version; accept it all the same.
  if (backend == Backend::anthropic && url.ends_with("/v1")) url.resize(url.size() - 3);
  return url;
}

base::Result<Target> resolve(const RegistryOptions& options, const Endpoint& endpoint) {
  const auto& name = endpoint.provider;
  if (!harness_provider(name).empty())
    return base::fail(Errc::unsupported, "'" + name + "' is a coding agent, no API: it is not called like a model");
  const auto at = options.configured.find(name);
  const Endpoint configured = at == options.configured.end() ? Endpoint() : at->second;
  const auto* row = find_provider(name);
  // A name of config.yaml's own may say whose defaults it takes.
  if (!row && configured.provider != name) row = find_provider(configured.provider);

  Target target;
  target.name = name;
  target.timeout_ms = first_of(endpoint.timeout_ms, configured.timeout_ms);
  if (row) target.backend = row->backend;
  if (target.backend == Backend::demo) return target;
  const auto backend_name = first_of(endpoint.backend, configured.backend);
  if (backend_name) {
    const auto backend = parse_backend(*backend_name);
    if (!backend) return std::unexpected(backend.error());
    target.backend = *backend;
  }

  auto url = first_of(endpoint.base_url, configured.base_url);
  if (!url) url = look_up(options.environment, variable(name, "_BASE_URL"));
  const bool own_url = url.has_value();
  if (!url && !row) return std::unexpected(unknown_provider(name));
  if (!url && row->backend != target.backend)
    return base::fail(Errc::invalid_argument, "backend " + *backend_name + " of provider '" + name + "' needs a base_url");
  auto checked = checked_base_url(url.value_or(row ? std::string(row->base_url) : ""), target.backend);
  if (!checked) return base::fail(Errc::invalid_argument, "provider '" + name + "': " + checked.error().message);
  target.base_url = std::move(*checked);

  auto key = first_of(endpoint.api_key, configured.api_key);
  if (!key) key = look_up(options.environment, variable(name, "_API_KEY"));
  if (!key && row) key = look_up(options.environment, row->key_variable);
  target.api_key = base::trim(key.value_or(""));
  // A base URL of one's own is mostly a local server or a gateway that wants no key; if it does, it says so.
  if (target.api_key.empty() && row && row->key == Key::needed && !own_url)
    return base::fail(Errc::unavailable, "provider '" + name + "' needs a key: set " + std::string(row->key_variable) +
                                             " (or api_key in config.yaml), or choose demo/story, which needs none");
  return target;
}

std::unique_ptr<WireFormat> make_format(const Target& target) {
  switch (target.backend) {
    case Backend::openai_compat: return std::make_unique<OpenAiChat>(target.name);
    case Backend::anthropic: return std::make_unique<AnthropicMessages>(target.name);
    case Backend::demo: break;
  }
  ASSERT(false);
  return nullptr;
}

}  // namespace

struct Registry::Impl {
  net::HttpClient& http;
  aio::Time& time;
  RegistryOptions options;
  DemoMemory demo;  // of all demo providers: a script's "the first two attempts fail" counts across them
};

Registry::Registry(net::HttpClient& http, aio::Time& time, RegistryOptions options)
    : impl_(new Impl{.http = http, .time = time, .options = std::move(options), .demo = {}}) {}

Registry::~Registry() = default;

base::Result<std::shared_ptr<Provider>> Registry::provider(const Endpoint& endpoint) {
  if (const auto given = impl_->options.given.find(endpoint.provider); given != impl_->options.given.end()) return given->second;
  auto target = resolve(impl_->options, endpoint);
  if (!target) return std::unexpected(std::move(target.error()));
  if (target->backend == Backend::demo) {
    DemoOptions options{.script_directory = impl_->options.script_directory, .timeout_ms = target->timeout_ms};
    return std::make_shared<DemoProvider>(impl_->time, impl_->demo, std::move(options));
  }
  HttpProviderOptions options{
      .name = target->name, .base_url = target->base_url, .api_key = target->api_key, .timeout_ms = target->timeout_ms};
  return std::make_shared<HttpProvider>(impl_->http, impl_->time, make_format(*target), std::move(options));
}

base::Result<> Registry::usable(const Endpoint& endpoint) const {
  if (impl_->options.given.contains(endpoint.provider) || !harness_provider(endpoint.provider).empty()) return {};
  const auto target = resolve(impl_->options, endpoint);
  if (!target) return std::unexpected(target.error());
  return {};
}

}  // namespace llm
