#include "cli/claude_messages.h"

#include "base/json.h"
#include "base/text.h"

namespace cli {

namespace json = boost::json;

namespace {

using Kind = TranscriptPart::Kind;

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : base::to_text(value);
}

// What a tool gave: a text, or pieces of which only texts can be shown.
std::string result_text(const json::object& block) {
  const auto* content = block.if_contains("content");
  if (!content || content->is_null()) return {};
  const auto* pieces = content->if_array();
  if (!pieces) return text_of(*content);
  std::string text;
  for (const auto& piece : *pieces) {
    const auto* o = piece.if_object();
    if (!o) continue;
    const auto type = base::text_or_empty(*o, "type");
    text += (text.empty() ? "" : "\n") + (type == "text" ? base::text_or_empty(*o, "text") : "[" + type + "]");
  }
  return text;
}

std::string lines_of(const json::object& fields) {
  std::string text;
  for (const auto& [key, value] : fields) text += (text.empty() ? "" : "\n") + std::string(key) + ": " + text_of(value);
  return text;
}

std::string call_text(const json::object& block) {
  const auto* input = base::object_field(block, "input");
  return input ? lines_of(*input) : std::string();
}

void add_block(std::vector<TranscriptPart>& parts, const json::object& block, Kind speaker, const std::string& at) {
  const auto type = base::text_or_empty(block, "type");
  if (type == "text") parts.push_back({.kind = speaker, .text = base::text_or_empty(block, "text"), .at = at});
  if (type == "thinking") parts.push_back({.kind = Kind::thinking, .text = base::text_or_empty(block, "thinking"), .at = at});
  if (type == "tool_use")
    parts.push_back({.kind = Kind::call, .text = call_text(block), .name = base::text_or_empty(block, "name"), .at = at});
  if (type == "tool_result")
    parts.push_back({.kind = Kind::result,
                     .text = result_text(block),
                     .at = at,
                     .is_error = base::bool_field(block, "is_error").value_or(false)});
  if (type == "image" || type == "document") parts.push_back({.kind = speaker, .text = "[" + type + "]", .at = at});
}

std::string heading_of(const TranscriptPart& part) {
  switch (part.kind) {
    case Kind::user: return "User";
    case Kind::assistant: return "Assistant";
    case Kind::thinking: return "Thinking";
    case Kind::call: return "Tool: " + part.name;
    case Kind::result: return part.is_error ? "Result (error)" : "Result";
  }
  return {};
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::user: return "user";
    case Kind::assistant: return "assistant";
    case Kind::thinking: return "thinking";
    case Kind::call: return "tool";
    case Kind::result: return "result";
  }
  return {};
}

// At most so many code points of it.
std::string_view first_characters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xC0u) != 0x80u && count-- == 0) break;
  return text.substr(0, at);
}

}  // namespace

std::vector<TranscriptPart> read_transcript_line(std::string_view line) {
  std::vector<TranscriptPart> parts;
  const auto trimmed = base::trim(line);
  if (trimmed.empty() || trimmed.size() > kTranscriptLineBytesMax) return parts;
  const auto value = base::parse_json(trimmed);
  const auto* o = value ? value->if_object() : nullptr;
  if (!o) return parts;
  const auto type = base::text_or_empty(*o, "type");
  if (type != "user" && type != "assistant") return parts;
  const auto* message = base::object_field(*o, "message");
  const auto* content = message ? message->if_contains("content") : nullptr;
  if (!content) return parts;
  const auto speaker = type == "user" ? Kind::user : Kind::assistant;
  const auto at = base::text_or_empty(*o, "timestamp");
  if (content->is_string()) parts.push_back({.kind = speaker, .text = std::string(content->get_string()), .at = at});
  if (const auto* blocks = content->if_array())
    for (const auto& block : *blocks)
      if (const auto* fields = block.if_object()) add_block(parts, *fields, speaker, at);
  std::erase_if(parts, [](const TranscriptPart& part) {
    return part.text.empty() && part.kind != Kind::call && part.kind != Kind::result;  // a signature without its thought
  });
  return parts;
}

std::string arguments_text(std::string_view json_text) {
  const auto value = base::parse_json(json_text);
  const auto* fields = value ? value->if_object() : nullptr;
  return fields ? lines_of(*fields) : std::string(json_text);
}

bool is_shown(const TranscriptPart& part, Compact compact) {
  return compact == Compact::no || (part.kind != Kind::thinking && part.kind != Kind::result);
}

std::string part_text(const TranscriptPart& part) {
  std::string_view text = part.text;
  const bool bounded = part.kind == Kind::result;
  const auto shown = bounded ? first_characters(text, kResultCharactersMax) : text;
  std::string out = "─── " + heading_of(part) + " ───\n" + std::string(shown);
  if (shown.size() < text.size()) out += "…";
  if (!out.ends_with('\n')) out += "\n";
  return out + "\n";
}

json::object part_json(const TranscriptPart& part) {
  json::object o{{"kind", kind_name(part.kind)}, {"text", part.text}};
  if (part.kind == Kind::call) o["name"] = part.name;
  if (part.kind == Kind::result) o["is_error"] = part.is_error;
  o["at"] = part.at.empty() ? json::value() : json::value(part.at);
  return o;
}

}  // namespace cli
