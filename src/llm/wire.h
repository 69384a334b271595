#pragma once
// The pure interface of a provider's wire format: how a request is written, how the streamed answer is decoded. No I/O;
// http_provider.h performs calls with it. Implementations: openai_chat.h, anthropic_messages.h.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/provider.h"

namespace llm {

struct WireRequest {
  std::string path;  // after the base URL, with its leading slash
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// How far an answer has come.
enum class Progress {
  open,      // more must come: an end here is a cut
  answered,  // the model has ended; what may still come (usage, an end marker) is not needed
  finished,  // the end marker was there: nothing more comes
};

// Decodes one answer's body: an SSE stream, or one JSON document where a server does not stream. Bytes may be cut anywhere.
class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;
  // Calls sink.text and sink.thinking for every delta as it becomes complete. `bytes` need not outlive the call. An error
  // is final: what the provider reported inside the stream, or why it cannot be read.
  virtual std::expected<Progress, ModelError> feed(std::string_view bytes, DeltaSink& sink) = 0;
  // The body has ended (or no more is awaited): the whole result, or the error that the answer was cut.
  virtual std::expected<ModelResult, ModelError> finish(DeltaSink& sink) = 0;
};

class WireFormat {
 public:
  virtual ~WireFormat() = default;
  // `api_key` may be empty.
  virtual WireRequest write(const ModelRequest& request, const std::string& api_key) const = 0;
  // A decoder of the answer to `request`, which is not kept.
  virtual std::unique_ptr<StreamDecoder> decoder(const ModelRequest& request) const = 0;
};

}  // namespace llm
