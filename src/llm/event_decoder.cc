#include "llm/event_decoder.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "llm/wire_error.h"

namespace llm {

namespace {

constexpr std::size_t kDeltaBytesMax = 64 << 10;
constexpr std::size_t kHeldBytesMax = 2 * base::limits::kSseLineBytesMax;

}  // namespace

std::expected<Progress, ModelError> EventDecoder::feed(std::string_view bytes, DeltaSink& sink) {
  if (kind_ == Kind::unknown) {
    // The content type lies on some servers; the first character does not: no SSE field begins with a bracket.
    const auto first = bytes.find_first_not_of(" \t\r\n");
    if (first == bytes.npos) return progress_;
    bytes.remove_prefix(first);
    kind_ = bytes.front() == '{' || bytes.front() == '[' ? Kind::document : Kind::stream;
  }
  if (kind_ == Kind::document) {
    if (document_.size() + bytes.size() > base::limits::kSseLineBytesMax)
      return unreadable("is longer than the bound of a document");
    document_ += bytes;
    return progress_;
  }
  sse_.feed(bytes);
  while (const auto event = sse_.next())
    if (auto step = take(*event, sink); !step) return std::unexpected(std::move(step.error()));
  if (sse_.overflowed()) return unreadable("has an event longer than the bound of a line");
  return progress_;
}

std::expected<ModelResult, ModelError> EventDecoder::finish(DeltaSink& sink) {
  if (kind_ == Kind::document) {
    if (auto step = take_document(sink); !step) return std::unexpected(std::move(step.error()));
  } else if (const auto event = sse_.last()) {
    // Half an event is what a cut leaves behind: no error of its own.
    if (on_marker(event->data) || json_.parse(event->data))
      if (auto step = take(*event, sink); !step) return std::unexpected(std::move(step.error()));
  }
  if (progress_ != Progress::open) return result();
  if (event_count_ == 0) return std::unexpected(cut_error(provider_, "held nothing that could be read; is the base URL right?"));
  return std::unexpected(cut_error(provider_, "was cut off after " + std::to_string(delta_count_) + " deltas"));
}

EventDecoder::Step EventDecoder::take(const net::SseEvent& event, DeltaSink& sink) {
  if (progress_ == Progress::finished || base::trim(event.data).empty()) return {};
  if (on_marker(event.data)) return {};
  const auto* value = json_.parse(event.data);
  if (!value) return unreadable("has an event that is not JSON");
  const auto* object = value->if_object();
  if (!object) return {};
  ++event_count_;
  return on_event(*object, sink);
}

EventDecoder::Step EventDecoder::take_document(DeltaSink& sink) {
  const auto* value = json_.parse(document_);
  if (!value) return std::unexpected(cut_error(provider_, "is not a whole JSON document"));
  // Google's errors come in an array of one.
  if (const auto* array = value->if_array(); array && array->size() == 1) value = &array->front();
  const auto* object = value->if_object();
  if (!object) return unreadable("is not a JSON object");
  ++event_count_;
  return on_document(*object, sink);
}

void EventDecoder::emit_text(DeltaSink& sink, std::string_view text) {
  while (!text.empty()) {
    const auto piece = base::utf8_prefix(text, kDeltaBytesMax);
    sink.text(piece);
    ++delta_count_;
    text.remove_prefix(piece.size());
  }
}

void EventDecoder::emit_thinking(DeltaSink& sink, std::string_view text) {
  while (!text.empty()) {
    const auto piece = base::utf8_prefix(text, kDeltaBytesMax);
    sink.thinking(piece);
    ++delta_count_;
    text.remove_prefix(piece.size());
  }
}

std::unexpected<ModelError> EventDecoder::unreadable(std::string_view what) const {
  return std::unexpected(cut_error(provider_, what));
}

EventDecoder::Step EventDecoder::hold(std::size_t bytes) {
  held_bytes_ += bytes;
  if (held_bytes_ > kHeldBytesMax) return unreadable("is larger than the bound of one answer");
  return {};
}

}  // namespace llm
