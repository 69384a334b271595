#pragma once
// Makes providers: which wire format, base URL and key belong to a provider's name.
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aio/time.h"
#include "base/error.h"
#include "llm/provider.h"

namespace net {
class HttpClient;
}

namespace llm {

// Where to call and with which secret. Never written to a log, an event or an error.
struct Endpoint {
  std::string provider;                    // e.g. "openai", "anthropic", "deepseek"; decides the defaults of the rest
  std::optional<std::string> backend;      // "openai_compat" or "anthropic" where the provider's own is not meant
  std::optional<std::string> base_url;
  std::optional<std::string> api_key;
  std::optional<std::int64_t> timeout_ms;  // wall clock of one call
};

// Looks an environment variable up; main passes getenv, tests pass a map.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

struct RegistryOptions {
  Environment environment;
  std::map<std::string, Endpoint> configured;  // `providers:` of config.yaml, by provider name
  std::string script_directory;                // where demo/NAME looks for NAME.yaml besides the built-in scripts; may be empty
  std::map<std::string, std::shared_ptr<Provider>> given = {};  // ready-made, by name, before all others: the simulation's
};

class Registry {
 public:
  Registry(net::HttpClient& http, aio::Time& time, RegistryOptions options);
  ~Registry();

  // The provider for one endpoint, or why there is none (unknown name; no key). Explicit fields of `endpoint` win over
  // config.yaml, which wins over the environment, which wins over the built-in defaults. Lives as long as the registry.
  base::Result<std::shared_ptr<Provider>> provider(const Endpoint& endpoint);

  // The same decision without making anything: for `doctor`, and for a process that must know if it can execute a run.
  base::Result<> usable(const Endpoint& endpoint) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llm
