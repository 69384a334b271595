#include <algorithm>

#include "base/json.h"
#include "harness/codex.h"

namespace harness {

namespace {

constexpr std::size_t kCallsMax = 1'000;

// A field in the spelling of `codex exec`, or that of the app server.
std::string text_of(const json::object& item, std::string_view snake, std::string_view camel) {
  const auto text = base::string_field(item, snake);
  return std::string(text ? *text : base::string_field(item, camel).value_or(""));
}

std::string json_of(const json::object& item, std::string_view key) {
  const auto* object = base::object_field(item, key);
  return object ? line_of(*object) : "{}";
}

std::string paths_of(const json::object& item) {
  std::string out;
  const auto* changes = base::array_field(item, "changes");
  if (!changes) return out;
  for (const auto& value : *changes) {
    const auto* change = value.if_object();
    if (!change) continue;
    const auto* kind_object = base::object_field(*change, "kind");  // the app server's
    const auto kind = kind_object ? base::text_or_empty(*kind_object, "type") : base::text_or_empty(*change, "kind");
    out += (out.empty() ? "" : "\n") + (kind.empty() ? "" : kind + " ") + base::text_or_empty(*change, "path");
  }
  return out;
}

// A tool call of the item's type; its name is empty if the type is not one of a call.
run::ToolCall call_of(const json::object& item, const std::string& type, const std::string& id) {
  if (type == "command_execution")
    return {.id = id, .name = "shell", .arguments = line_of({{"command", base::text_or_empty(item, "command")}})};
  if (type == "file_change") {
    const auto* changes = base::array_field(item, "changes");
    return {.id = id, .name = "apply_patch", .arguments = line_of({{"changes", changes ? *changes : json::array()}})};
  }
  if (type == "mcp_tool_call")
    return {.id = id, .name = base::text_or_empty(item, "server") + "." + base::text_or_empty(item, "tool"), .arguments = json_of(item, "arguments")};
  if (type == "dynamic_tool_call") return {.id = id, .name = base::text_or_empty(item, "tool"), .arguments = json_of(item, "arguments")};
  if (type == "web_search") return {.id = id, .name = "web_search", .arguments = line_of({{"query", base::text_or_empty(item, "query")}})};
  return {.id = id, .name = {}, .arguments = {}};
}

std::string content_text(const json::object& item) {
  std::string out;
  const auto* result = base::object_field(item, "result");
  const auto* parts = result ? base::array_field(*result, "content") : nullptr;
  if (!parts) return out;
  for (const auto& part : *parts)
    if (const auto* object = part.if_object()) out += (out.empty() ? "" : "\n") + base::text_or_empty(*object, "text");
  return out;
}

CallEnded ended_of(const json::object& item, const std::string& type, run::ToolCall call) {
  CallEnded ended{.call = std::move(call), .result = {}};
  const auto status = base::text_or_empty(item, "status");
  ended.is_error = status == "failed" || status == "declined";
  if (type == "command_execution") {
    ended.result = text_of(item, "aggregated_output", "aggregatedOutput");
    const auto code = base::int_field(item, item.contains("exit_code") ? "exit_code" : "exitCode");
    ended.is_error = ended.is_error || (code && *code != 0);
  } else if (type == "file_change") {
    ended.result = paths_of(item);
  } else if (type == "mcp_tool_call") {
    ended.result = content_text(item);
    if (const auto* error = base::object_field(item, "error")) ended.result = base::text_or_empty(*error, "message");
  }
  if (ended.result.empty() && status == "declined") ended.result = "declined";
  return ended;
}

// What reasoning shows of itself: `text`, or the parts of `summary`.
std::string thought_of(const json::object& item) {
  auto out = base::text_or_empty(item, "text");
  const auto* parts = base::array_field(item, "summary");
  if (!parts || !out.empty()) return out;
  for (const auto& part : *parts)
    if (const auto* text = part.if_string()) out += (out.empty() ? "" : "\n") + std::string(std::string_view(*text));
  return out;
}

// Items that are there for a screen: plans, what the user said, warnings, images.
bool is_silent(std::string_view type) {
  constexpr std::string_view kSilent[] = {"error",       "todo_list",        "plan",        "user_message",         "hook_prompt",
                                          "image_view",  "image_generation", "collab_tool_call", "collab_agent_tool_call", "context_compaction",
                                          "entered_review_mode", "exited_review_mode"};
  return std::ranges::find(kSilent, type) != std::end(kSilent);
}

}  // namespace

std::string codex_item_type(const json::object& item) {
  std::string out;
  for (const char c : base::string_field(item, "type").value_or("")) {
    if (c >= 'A' && c <= 'Z') {
      out += '_';
      out += static_cast<char>(c - 'A' + 'a');
    } else {
      out += c;
    }
  }
  return out;
}

void CodexItems::clear() {
  calls_.clear();
  said_.clear();
}

const run::ToolCall* CodexItems::call(const std::string& id) const {
  const auto found = calls_.find(id);
  return found == calls_.end() ? nullptr : &found->second;
}

void CodexItems::begin(const run::ToolCall& call, std::vector<Told>& out) {
  if (calls_.size() >= kCallsMax && !calls_.contains(call.id)) calls_.erase(calls_.begin());
  calls_.insert_or_assign(call.id, call);
  out.push_back(CallBegan{call});
}

bool CodexItems::began(const json::object& item, std::vector<Told>& out) {
  const auto type = codex_item_type(item);
  const auto id = id_in(item, "id");
  if (!id || type.empty()) return false;
  if (const auto call = call_of(item, type, *id); !call.name.empty()) begin(call, out);
  else return is_silent(type) || type == "agent_message" || type == "reasoning";
  return true;
}

bool CodexItems::completed(const json::object& item, std::vector<Told>& out) {
  const auto type = codex_item_type(item);
  if (type == "agent_message") {
    if (auto text = base::text_or_empty(item, "text"); !text.empty()) out.push_back(Said{said_ = std::move(text)});
    return true;
  }
  if (type == "reasoning") {
    if (auto text = thought_of(item); !text.empty()) out.push_back(Thought{std::move(text)});
    return true;
  }
  const auto id = id_in(item, "id");
  if (!id || is_silent(type)) return is_silent(type);
  auto call = call_of(item, type, *id);
  if (call.name.empty()) return false;
  // Some calls are told only when they are over.
  if (!calls_.contains(*id)) begin(call, out);
  auto begun = calls_.extract(*id);
  out.push_back(ended_of(item, type, std::move(begun.mapped())));
  return true;
}

}  // namespace harness
