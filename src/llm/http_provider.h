#pragma once
// The one driver of model calls over HTTP: a wire format, an endpoint, deadlines.
#include <memory>
#include <optional>
#include <string>

#include "aio/time.h"
#include "base/limits.h"
#include "llm/wire.h"
#include "llm/wire_error.h"
#include "net/http_client.h"

namespace llm {

struct HttpProviderOptions {
  std::string name;                        // for errors
  std::string base_url;                    // without trailing slash
  std::string api_key;                     // may be empty
  std::optional<std::int64_t> timeout_ms;  // the whole call
  std::int64_t connect_ms = base::limits::kConnectMs;
  std::int64_t first_token_ms = base::limits::kFirstTokenMs;
  std::int64_t idle_ms = base::limits::kIdleMs;
  std::int64_t tail_ms = 5'000;  // how long the end of the stream is awaited after the model has ended
};

class HttpProvider final : public Provider {
 public:
  // `http` and `time` must outlive the provider.
  HttpProvider(net::HttpClient& http, aio::Time& time, std::unique_ptr<WireFormat> format, HttpProviderOptions options);
  aio::Task<std::expected<ModelResult, ModelError>> call(const ModelRequest& request, DeltaSink& sink) override;

 private:
  struct Call;
  using Outcome = std::expected<ModelResult, ModelError>;
  // The two halves of a call; the first to end stops the other. Neither lets an exception out: Asio's || would wait for
  // the other half before it passes one on.
  aio::Task<> perform(Call& call);
  aio::Task<> watch(Call& call);

  aio::Task<Outcome> exchange(Call& call);
  aio::Task<Outcome> receive(Call& call, net::HttpExchange& exchange);
  aio::Task<ModelError> refused(net::HttpExchange& exchange, net::HttpHead head);
  net::HttpCall http_call(const ModelRequest& request) const;
  ModelError transport_error(const base::Error& error) const;
  std::int64_t limit_ms(Deadline deadline) const;
  ModelError without_secret(ModelError error) const;

  net::HttpClient& http_;
  aio::Time& time_;
  std::unique_ptr<WireFormat> format_;
  HttpProviderOptions options_;
};

}  // namespace llm
