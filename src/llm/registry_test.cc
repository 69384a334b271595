#include "llm/registry.h"

#include "llm/llm_fixture.h"
#include "net/http_client.h"
#include "net/http_client_fixture.h"

namespace llm {
namespace {

using base::Errc;

class RegistryTest : public net::LoopbackTest {
 protected:
  Registry registry() {
    RegistryOptions options{.environment = [this](std::string_view name) -> std::optional<std::string> {
                              const auto at = environment.find(std::string(name));
                              return at == environment.end() ? std::nullopt : std::optional(at->second);
                            },
                            .configured = configured,
                            .script_directory = {}};
    return Registry(client, time, std::move(options));
  }

  std::string refused(const Endpoint& endpoint, Errc code) {
    const auto known = registry().usable(endpoint);
    EXPECT_FALSE(known.has_value());
    if (known) return {};
    EXPECT_EQ(known.error().code, code) << known.error().message;
    return known.error().message;
  }

  static Endpoint named(std::string name) {
    Endpoint endpoint;
    endpoint.provider = std::move(name);
    return endpoint;
  }

  // The request line and headers of a call made with the endpoint.
  std::string head_of_call(const Endpoint& endpoint) {
    std::string head;
    ModelRequest request;
    request.model = "m";
    request.messages = {user("Hi")};
    RecordingSink sink;
    auto subject = registry();
    const auto provider = subject.provider(endpoint);
    EXPECT_TRUE(provider.has_value());
    if (!provider) return {};
    auto test = [&]() -> aio::Task<> { co_await (*provider)->call(request, sink); };
    run(
        [&](net::Peer& peer) -> aio::Task<> {
          const auto seen = co_await peer.request();
          head = seen.head;
          co_await peer.answer(404, "", "");
        },
        test());
    return head;
  }

  aio::SystemTime time{io};
  std::map<std::string, std::string> environment;
  std::map<std::string, Endpoint> configured;
};

TEST_F(RegistryTest, AMissingKeyNamesTheVariable) {
  EXPECT_NE(refused(named("openai"), Errc::unavailable).find("set OPENAI_API_KEY"), std::string::npos);
  EXPECT_NE(refused(named("anthropic"), Errc::unavailable).find("set ANTHROPIC_API_KEY"), std::string::npos);
  EXPECT_NE(refused(named("grok"), Errc::unavailable).find("set XAI_API_KEY"), std::string::npos);
  environment["OPENAI_API_KEY"] = "\n";
  refused(named("openai"), Errc::unavailable);
  environment["OPENAI_API_KEY"] = "k";
  EXPECT_TRUE(registry().usable(named("openai")).has_value());
}

TEST_F(RegistryTest, LocalServersAndOwnBaseUrlsNeedNoKey) {
  for (const auto* name : {"demo", "ollama", "lm_studio", "vllm", "llama_cpp", "llama.cpp", "lm-studio"})
    EXPECT_TRUE(registry().usable(named(name)).has_value()) << name;
  environment["OPENAI_BASE_URL"] = "http://localhost:1/v1";
  EXPECT_TRUE(registry().usable(named("openai")).has_value());
}

TEST_F(RegistryTest, UnknownProvidersAreAnsweredWithTheKnownOnes) {
  const auto message = refused(named("opnai"), Errc::invalid_argument);
  EXPECT_NE(message.find("unknown provider 'opnai', did you mean 'openai'?"), std::string::npos) << message;
  EXPECT_NE(message.find("anthropic, cerebras, deepseek, demo, fireworks"), std::string::npos);
  refused(named(""), Errc::invalid_argument);
}

TEST_F(RegistryTest, ACodingAgentNeedsNoKeyAndIsNotCalledLikeAModel) {
  EXPECT_TRUE(registry().usable(named("claude")));
  const auto called = registry().provider(named("claude"));
  ASSERT_FALSE(called);
  EXPECT_EQ(called.error().code, Errc::unsupported);
}

TEST_F(RegistryTest, EveryNamedProviderIsThere) {
  for (const auto* name :
       {"openai", "anthropic", "deepseek", "groq", "mistral", "together", "ollama", "lm_studio", "vllm", "llama_cpp",
        "openrouter", "google-gemini", "gemini", "xai", "grok", "cerebras", "perplexity", "fireworks", "demo"}) {
    auto endpoint = named(name);
    endpoint.api_key = "k";
    EXPECT_TRUE(registry().provider(endpoint).has_value()) << name;
  }
}

TEST_F(RegistryTest, EndpointWinsOverConfigurationOverEnvironment) {
  environment["OPENAI_BASE_URL"] = url("/environment/");
  environment["OPENAI_API_KEY"] = " environment-key\n";
  auto head = head_of_call(named("openai"));
  EXPECT_TRUE(head.starts_with("POST /environment/chat/completions ")) << head;
  EXPECT_NE(head.find("Bearer environment-key\r\n"), std::string::npos) << head;

  configured["openai"] = named("openai");
  configured["openai"].base_url = url("/configured");
  head = head_of_call(named("openai"));
  EXPECT_TRUE(head.starts_with("POST /configured/chat/completions ")) << head;
  EXPECT_NE(head.find("Bearer environment-key\r\n"), std::string::npos) << head;

  auto endpoint = named("openai");
  endpoint.base_url = url("/explicit");
  endpoint.api_key = "explicit-key";
  head = head_of_call(endpoint);
  EXPECT_TRUE(head.starts_with("POST /explicit/chat/completions ")) << head;
  EXPECT_NE(head.find("Bearer explicit-key\r\n"), std::string::npos) << head;
}

TEST_F(RegistryTest, AnthropicsBaseUrlWithAndWithoutVersion) {
  for (const auto* path : {"", "/", "/v1", "/v1/"}) {
    environment["ANTHROPIC_BASE_URL"] = url(path);
    EXPECT_TRUE(head_of_call(named("anthropic")).starts_with("POST /v1/messages ")) << path;
  }
}

TEST_F(RegistryTest, BackendOfAnotherFormat) {
  auto endpoint = named("deepseek");
  endpoint.backend = "anthropic";
  endpoint.api_key = "k";
  EXPECT_NE(refused(endpoint, Errc::invalid_argument).find("needs a base_url"), std::string::npos);
  endpoint.base_url = url("/anthropic");
  EXPECT_TRUE(head_of_call(endpoint).starts_with("POST /anthropic/v1/messages "));
  endpoint.backend = "github_copilot";
  EXPECT_NE(refused(endpoint, Errc::unsupported).find("known backends: anthropic, openai_compat"), std::string::npos);
}

TEST_F(RegistryTest, NamesOfConfigurationsOwn) {
  configured["gateway"] = named("gateway");
  configured["gateway"].base_url = url("/g");
  environment["GATEWAY_API_KEY"] = "gateway-key";
  const auto head = head_of_call(named("gateway"));
  EXPECT_TRUE(head.starts_with("POST /g/chat/completions ")) << head;
  EXPECT_NE(head.find("Bearer gateway-key\r\n"), std::string::npos) << head;
}

TEST_F(RegistryTest, BadBaseUrl) {
  auto endpoint = named("openai");
  endpoint.base_url = "localhost:8000";
  EXPECT_NE(refused(endpoint, Errc::invalid_argument).find("provider 'openai': a base URL must begin with http://"),
            std::string::npos);
}

TEST_F(RegistryTest, AttemptsOfTheDemoProviderOutliveOneProviderObject) {
  auto subject = registry();
  ModelRequest request;
  request.model = "fast";
  request.messages = {user("tokens=2\nerror 500 x1")};
  RecordingSink sink;
  auto test = [&]() -> aio::Task<int> {
    int attempts = 0;
    for (bool done = false; !done; ++attempts) {
      const auto provider = subject.provider(named("demo"));
      const auto result = co_await provider.value()->call(request, sink);
      done = result.has_value();
    }
    co_return attempts;
  };
  EXPECT_EQ(run_task(io, test()), 2);
}

}  // namespace
}  // namespace llm
