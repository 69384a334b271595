#include "api/agentos/encoder.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "api/agentos/event_fields.h"
#include "base/json.h"
#include "run/event.h"

namespace api::agentos {

namespace {

struct Names {
  std::string_view type, event;
};
constexpr Names kNames[] = {
    {"text", "RunContent"},
    {"run_started", "RunStarted"},
    {"model_started", "ModelRequestStarted"},
    {"thinking", "ReasoningContentDelta"},
    {"superseded", "RunContentSuperseded"},
    {"model_completed", "ModelRequestCompleted"},
    {"tool_started", "ToolCallStarted"},
    {"tool_completed", "ToolCallCompleted"},
    {"tool_error", "ToolCallError"},
    {"content_completed", "RunContentCompleted"},
    {"run_completed", "RunCompleted"},
    {"run_error", "RunError"},
    {"run_cancelled", "RunCancelled"},
    {"run_paused", "RunPaused"},
    {"run_continued", "RunContinued"},
};

// Every stored line begins with its type (docs/formats/event-log.md).
std::string_view type_of(std::string_view line) {
  static constexpr std::string_view kHead = R"({"type":")";
  if (!line.starts_with(kHead)) return {};
  line.remove_prefix(kHead.size());
  return line.substr(0, line.find('"'));
}

void append_head(std::string& out, std::int64_t at_ms, std::string_view event, const std::string& identity) {
  out += "{\"created_at\":";
  out += std::to_string(at_ms / 1000);
  out += ",\"event\":\"";
  out += event;
  out += "\",";
  out += identity;
}

void append_index(std::string& out, std::uint64_t index) {
  out += ",\"event_index\":";
  out += std::to_string(index);
  out += '}';
}

// A number's decimal digits, without an allocation.
class Digits {
 public:
  explicit Digits(std::uint64_t value) : end_(std::to_chars(text_, text_ + sizeof text_, value).ptr) {}
  std::string_view view() const { return {text_, size()}; }
  std::size_t size() const { return static_cast<std::size_t>(end_ - text_); }

 private:
  char text_[20];
  char* end_;
};

// Keys into a block's shared encodings.
constexpr char kAllKey = 0, kContentKey = 0;

}  // namespace

Encoder::Encoder(const store::Run& run) {
  identity_ += "\"agent_id\":";
  base::append_json_string(identity_, run.component_id);
  identity_ += ",\"agent_name\":";
  base::append_json_string(identity_, run.component_name);
  identity_ += ",\"run_id\":";
  base::append_json_string(identity_, run.run_id);
  if (!run.parent_run_id.empty()) {
    identity_ += ",\"parent_run_id\":";
    base::append_json_string(identity_, run.parent_run_id);
  }
  identity_ += ",\"session_id\":";
  base::append_json_string(identity_, run.session_id);
  identity_ += ",\"nested_depth\":0";
  text_head_ = ",\"event\":\"RunContent\"," + identity_ + ",\"content\":";
}

// The hot case: the text stays the bytes that it is, the envelope around it is put together from pieces of known length.
void Encoder::append_text_frame(std::string& out, std::uint64_t index, std::int64_t at_ms, std::string_view json_text, Framing framing) const {
  static constexpr std::string_view kId = "id: ", kEvent = "\nevent: RunContent\ndata: ", kCreated = "{\"created_at\":",
                                    kIndex = R"(,"workflow_agent":false,"content_type":"str","reasoning_content":"","event_index":)";
  const Digits number(index), seconds(static_cast<std::uint64_t>(at_ms / 1000));
  const bool framed = framing == Framing::frame;
  const auto size = (framed ? kId.size() + number.size() + kEvent.size() + 2 : 0) + kCreated.size() + seconds.size() + text_head_.size() +
                    json_text.size() + kIndex.size() + number.size() + 1;
  const auto before = out.size();
  // The length is ours: where it has to grow, libstdc++ 12 hands in the new capacity instead of what was asked for.
  out.resize_and_overwrite(before + size, [&](char* data, std::size_t) {
    char* at = data + before;
    const auto put = [&at](std::string_view piece) {
      std::memcpy(at, piece.data(), piece.size());
      at += piece.size();
    };
    if (framed) put(kId), put(number.view()), put(kEvent);
    put(kCreated), put(seconds.view()), put(text_head_), put(json_text), put(kIndex), put(number.view()), put("}");
    if (framed) put("\n\n");
    return before + size;
  });
}

void Encoder::append_json(std::string& out, std::uint64_t index, std::string_view line) const {
  if (const auto text = run::raw_text_delta(line)) return append_text_frame(out, index, text->at_ms, text->json_text, Framing::json);
  const auto event = run::decode(line);
  append_head(out, event ? event->at_ms : 0, event_name(line), identity_);
  if (event) append_fields(out, *event);
  append_index(out, index);
}

void Encoder::append_frame(std::string& out, std::uint64_t index, std::string_view line) const {
  if (const auto text = run::raw_text_delta(line)) return append_text_frame(out, index, text->at_ms, text->json_text, Framing::frame);
  out += "id: ";
  out += std::to_string(index);
  out += "\nevent: ";
  out += event_name(line);
  out += "\ndata: ";
  append_json(out, index, line);
  out += "\n\n";
}

std::shared_ptr<const Frames> Encoder::frames(const engine::Block& block, Detail detail) const {
  auto& slot = block.encoded[detail == Detail::all ? &kAllKey : &kContentKey];
  if (const auto* known = std::any_cast<std::shared_ptr<const Frames>>(&slot)) return *known;
  auto frames = std::make_shared<Frames>();
  frames->starts.reserve(block.slice.count + 1);
  frames->bytes.reserve(block.slice.lines->size() * 2 + block.slice.count * (identity_.size() + 128));
  std::string_view rest = *block.slice.lines;
  for (auto index = block.slice.first; !rest.empty(); ++index) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    frames->starts.push_back(static_cast<std::uint32_t>(frames->bytes.size()));
    if (detail == Detail::all || is_content(line)) append_frame(frames->bytes, index, line);
    rest.remove_prefix(end + 1);
  }
  frames->starts.push_back(static_cast<std::uint32_t>(frames->bytes.size()));
  std::shared_ptr<const Frames> done = std::move(frames);
  slot = done;
  return done;
}

bool ends_stream(std::string_view line) {
  const auto type = type_of(line);
  return type == "run_completed" || type == "run_error" || type == "run_paused";
}

bool is_content(std::string_view line) {
  const auto type = type_of(line);
  return type == "text" || type == "superseded" || type == "run_cancelled" || ends_stream(line);
}

std::string_view event_name(std::string_view line) {
  const auto type = type_of(line);
  const auto at = std::ranges::find(kNames, type, &Names::type);
  return at == std::end(kNames) ? "CustomEvent" : at->event;
}

}  // namespace api::agentos
