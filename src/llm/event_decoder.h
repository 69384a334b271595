#pragma once
// What the decoders of all formats share: telling a stream from a JSON document, cutting the stream into events, reading
// their JSON, and the errors of unreadable answers. Pure.
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "llm/event_json.h"
#include "llm/wire.h"
#include "net/sse.h"

namespace llm {

class EventDecoder : public StreamDecoder {
 public:
  explicit EventDecoder(std::string provider) : provider_(std::move(provider)) {}
  std::expected<Progress, ModelError> feed(std::string_view bytes, DeltaSink& sink) final;
  std::expected<ModelResult, ModelError> finish(DeltaSink& sink) final;

 protected:
  using Step = std::expected<void, ModelError>;
  // The data of one event that is not JSON, e.g. an end marker; says whether it was known.
  virtual bool on_marker(std::string_view data) = 0;
  // The JSON object of one event of the stream.
  virtual Step on_event(const boost::json::object& event, DeltaSink& sink) = 0;
  // The whole answer of a server that does not stream.
  virtual Step on_document(const boost::json::object& document, DeltaSink& sink) = 0;
  // The stream ended, at least `answered`.
  virtual std::expected<ModelResult, ModelError> result() = 0;

  const std::string& provider() const { return provider_; }
  void advance(Progress progress) { progress_ = std::max(progress_, progress); }
  // Hand a delta over, in pieces of bounded size. `text` must be valid UTF-8 and may be empty.
  void emit_text(DeltaSink& sink, std::string_view text);
  void emit_thinking(DeltaSink& sink, std::string_view text);
  std::unexpected<ModelError> unreadable(std::string_view what) const;
  // Counts what the decoder keeps (arguments, thinking), which a hostile stream must not grow without end.
  Step hold(std::size_t bytes);

 private:
  enum class Kind { unknown, stream, document };
  Step take(const net::SseEvent& event, DeltaSink& sink);
  Step take_document(DeltaSink& sink);

  std::string provider_;
  Progress progress_ = Progress::open;
  Kind kind_ = Kind::unknown;
  net::SseParser sse_;
  EventJson json_;
  std::string document_;
  std::size_t held_bytes_ = 0;
  std::size_t event_count_ = 0;
  std::size_t delta_count_ = 0;
};

}  // namespace llm
