#include "api/apps/envelope.h"

#include <algorithm>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "run/spec.h"

namespace api::apps {

using base::append_json_string;

namespace {

// The parts of a stored line: {"type":"...","at":N and the rest, which begins with a comma or is empty.
struct Line {
  std::string_view type, at, rest;
};

Line take_apart(std::string_view line) {
  static constexpr std::string_view kHead = R"({"type":")", kAt = R"(","at":)";
  Line parts;
  if (!line.starts_with(kHead) || !line.ends_with('}')) return parts;
  line.remove_prefix(kHead.size());
  line.remove_suffix(1);
  const auto type = line.find(kAt);
  if (type == std::string_view::npos) return parts;
  parts.type = line.substr(0, type);
  line.remove_prefix(type + kAt.size());
  parts.at = line.substr(0, line.find(','));
  parts.rest = line.substr(parts.at.size());
  return parts;
}

struct Kind {
  std::string_view type, kind;
};
constexpr Kind kKinds[] = {
    {"text", "model"},        {"thinking", "model"},        {"model_started", "model"}, {"model_completed", "model"},
    {"superseded", "model"},  {"tool_started", "tool"},     {"tool_completed", "tool"}, {"tool_error", "tool"},
    {"run_started", "run"},   {"content_completed", "run"}, {"run_completed", "run"},   {"run_error", "run"},
    {"run_cancelled", "run"}, {"context_compacted", "run"}, {"run_paused", "approval"}, {"run_continued", "approval"},
    {"notice", "notice"}};

constexpr std::string_view kBegin = "run_started";

}  // namespace

std::string_view kind_of(std::string_view type) {
  const auto at = std::ranges::find(kKinds, type, &Kind::type);
  return at == std::end(kKinds) ? "other" : at->kind;
}

bool ends_turn(std::string_view line) {
  const auto type = take_apart(line).type;
  return type == "run_completed" || type == "run_error";
}

Envelope::Envelope(std::string_view app_id, const store::Run& turn, std::uint64_t first) : first_(first) {
  session_ = ",\"app_id\":";
  append_json_string(session_, app_id);
  session_ += ",\"session_id\":";
  append_json_string(session_, turn.session_id);
  session_ += ",\"payload\":{\"run_id\":";
  append_json_string(session_, turn.run_id);
  began_ = ",\"agent\":";
  append_json_string(began_, turn.component_id);
  began_ += ",\"message\":";
  const auto spec = run::decode_spec(turn.spec);
  append_json_string(began_, spec ? spec->input : "");
}

void Envelope::append_json(std::string& out, std::uint64_t index, std::string_view line) const {
  const auto parts = take_apart(line);
  out += "{\"type\":";
  append_json_string(out, parts.type);
  out += ",\"seq\":" + std::to_string(first_ + index) + ",\"kind\":\"";
  out += kind_of(parts.type);
  out += '"';
  out += session_;
  out += ",\"index\":" + std::to_string(index);
  if (parts.type == kBegin) out += began_;
  out += parts.rest;
  out += "},\"ts\":\"" + base::iso_utc_ms(base::parse_int(parts.at).value_or(0)) + "\"}";
}

void Envelope::append_frame(std::string& out, std::uint64_t index, std::string_view line) const {
  out += "id: " + std::to_string(first_ + index) + "\nevent: ";
  out += take_apart(line).type;
  out += "\ndata: ";
  append_json(out, index, line);
  out += "\n\n";
}

}  // namespace api::apps
