#include "api/agentos/encoder.h"

#include <algorithm>
#include <array>
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
}

void Encoder::append_json(std::string& out, std::uint64_t index, std::string_view line) const {
  const auto event = run::decode(line);
  append_head(out, event ? event->at_ms : 0, event_name(line), identity_);
  if (event) append_fields(out, *event);
  append_index(out, index);
}

std::shared_ptr<const Frames> Encoder::frames(const engine::Block& block, Detail detail) const {
  auto& slot = block.encoded[detail == Detail::all ? &kAllKey : &kContentKey];
  if (const auto* known = std::any_cast<std::shared_ptr<const Frames>>(&slot)) return *known;
  auto frames = std::make_shared<Frames>();
  frames->starts.reserve(block.slice.count + 1);
  frames->bytes.reserve(block.slice.lines->size() * 2 + block.slice.count * (identity_.size() + 128));
  FrameWriter writer(*this, detail, block.slice.first);
  for (std::string_view rest = *block.slice.lines; !rest.empty();) {
    const auto end = rest.find('\n');
    frames->starts.push_back(static_cast<std::uint32_t>(frames->bytes.size()));
    writer.write(frames->bytes, rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  frames->starts.push_back(static_cast<std::uint32_t>(frames->bytes.size()));
  std::shared_ptr<const Frames> done = std::move(frames);
  slot = done;
  return done;
}

FrameWriter::FrameWriter(const Encoder& encoder, Detail detail, std::uint64_t first_index)
    : encoder_(encoder), detail_(detail), index_(first_index) {}

void FrameWriter::write(std::string& out, std::string_view line) {
  const auto index = index_++;
  if (const auto text = run::raw_text_delta(line)) return write_text(out, index, text->seconds, text->json_text);
  if (detail_ == Detail::content_only && !is_content(line)) return;
  out += "id: ";
  out += std::to_string(index);
  out += "\nevent: ";
  out += event_name(line);
  out += "\ndata: ";
  encoder_.append_json(out, index, line);
  out += "\n\n";
}

// The hot case: the text stays the bytes that it is, between pieces that are there already.
void FrameWriter::write_text(std::string& out, std::uint64_t index, std::string_view seconds, std::string_view json_text) {
  static constexpr std::string_view kId = "id: ", kEnd = "}\n\n",
                                    kIndex = R"(,"workflow_agent":false,"content_type":"str","reasoning_content":"","event_index":)";
  if (seconds != seconds_) {
    seconds_ = seconds;
    text_head_ = "\nevent: RunContent\ndata: {\"created_at\":" + seconds_ + ",\"event\":\"RunContent\"," + encoder_.identity_ +
                 ",\"content\":";
  }
  std::array<char, 20> digits;
  const auto* const digits_end = std::to_chars(digits.data(), digits.data() + digits.size(), index).ptr;
  const std::string_view number(digits.data(), static_cast<std::size_t>(digits_end - digits.data()));
  const auto before = out.size();
  const auto size = kId.size() + text_head_.size() + json_text.size() + kIndex.size() + 2 * number.size() + kEnd.size();
  // The length is ours: where it has to grow, libstdc++ 12 hands in the new capacity instead of what was asked for.
  out.resize_and_overwrite(before + size, [&](char* data, std::size_t) {
    char* at = data + before;
    for (const auto piece : {kId, number, std::string_view(text_head_), json_text, kIndex, number, kEnd}) {
      std::memcpy(at, piece.data(), piece.size());
      at += piece.size();
    }
    return before + size;
  });
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
