#include "engine/harness_events.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

namespace engine {

namespace {

constexpr std::string_view kCut = "\n[cut here: the whole of it is in the program's output file]";

std::string bounded(std::string text) {
  if (text.size() <= base::limits::kHarnessTextBytesMax) return text;
  return std::string(base::utf8_prefix(text, base::limits::kHarnessTextBytesMax)) + std::string(kCut);
}

run::ToolCall bounded(run::ToolCall call) {
  call.arguments = bounded(std::move(call.arguments));
  return call;
}

struct ToEvents {
  std::vector<run::Payload>& out;
  const run::HarnessState& state;
  std::int64_t now_ms;

  void operator()(const harness::SessionNamed& e) const { out.push_back(run::HarnessSession{e.session_id, e.model, e.version}); }
  void operator()(const harness::Said& e) const {
    auto text = bounded(e.text);
    if (!text.ends_with('\n')) text += '\n';  // blocks, not tokens
    out.push_back(run::TextDelta{std::move(text)});
  }
  void operator()(const harness::Thought& e) const { out.push_back(run::ThinkingDelta{bounded(e.text)}); }
  void operator()(const harness::CallBegan& e) const { out.push_back(run::ToolStarted{bounded(e.call), run::Recall::never}); }
  void operator()(const harness::CallEnded& e) const {
    const auto call = bounded(e.call);
    auto result = bounded(e.result);
    out.push_back(run::ToolCompleted{call, result, e.is_error, now_ms, 0});
    if (e.is_error) out.push_back(run::ToolError{call, std::move(result), now_ms, 0});
  }
  void operator()(const harness::Heard& e) const {
    // Said once, and only of what it was told.
    const auto known = std::ranges::find(state.messages, e.message_id, &run::HarnessMessage::id);
    if (known != state.messages.end() && !known->heard) out.push_back(run::HarnessHeard{e.message_id});
  }
  void operator()(const harness::TurnEnded& e) const {
    auto turn = e.turn;
    turn.text = bounded(std::move(turn.text));
    turn.error = bounded(std::move(turn.error));
    if (!turn.until_ms && e.limited_for_ms > 0) turn.until_ms = now_ms + e.limited_for_ms;
    out.push_back(std::move(turn));
  }
  void operator()(const harness::TurnBegan&) const {}
  void operator()(const harness::Asks&) const {}
  void operator()(const harness::Refused&) const {}
  void operator()(const harness::HandledMessage&) const {}
  void operator()(const harness::Retries&) const {}
  void operator()(const harness::Reply&) const {}
  void operator()(const harness::Unknown&) const {}
};

}  // namespace

std::vector<run::Payload> events_of(const std::vector<harness::Told>& told, const run::HarnessState& state, std::int64_t now_ms) {
  std::vector<run::Payload> out;
  for (const auto& one : told) std::visit(ToEvents{out, state, now_ms}, one);
  return out;
}

std::optional<run::Notice> message_of(const store::Notice& notice) {
  if (notice.kind != store::kNoticeMessage) return std::nullopt;
  const auto value = base::parse_json(notice.detail);
  const auto* o = value ? value->if_object() : nullptr;
  if (!o) return std::nullopt;
  return run::Notice{.task_id = base::text_or_empty(*o, "id"), .text = base::text_or_empty(*o, "text"), .hook = {}, .as_user = true};
}

std::string message_detail(const std::string& message_id, const std::string& text) {
  return base::to_text(boost::json::object{{"id", message_id}, {"text", text}});
}

}  // namespace engine
