#include "engine/projection_snapshot.h"

#include "base/json.h"
#include "base/text.h"
#include "engine/history.h"
#include "engine/projection_manifest.h"

namespace engine {

namespace json = boost::json;

namespace {

constexpr std::size_t kFileNameBytesMax = 200;  // with the endings it stays below what file systems take

std::string_view role_name(run::Role role) {
  switch (role) {
    case run::Role::user: return "user";
    case run::Role::assistant: return "assistant";
    case run::Role::tool: return "tool";
    case run::Role::system: return "system";
  }
  return "user";
}

json::object labelled(const run::Message& message) {
  json::object o{{"role", role_name(message.role)}, {"content", message.text}};
  if (message.role == run::Role::tool) {
    o["tool_call_id"] = message.tool_call_id;
    o["name"] = message.tool_name;
    o["is_error"] = message.is_error;
  }
  if (!message.tool_calls.empty()) {
    json::array calls;
    for (const auto& call : message.tool_calls)
      calls.push_back({{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}});
    o["tool_calls"] = std::move(calls);
  }
  if (!message.thinking.empty()) {
    json::array thoughts;
    for (const auto& thought : message.thinking) thoughts.emplace_back(thought.text);
    o["thinking"] = std::move(thoughts);
  }
  if (message.at_ms) o["timestamp"] = static_cast<double>(message.at_ms) / 1000.0;
  return o;
}

json::object chat_model(const run::Spec& spec) {
  json::object kwargs{{"model", spec.model}};
  if (!spec.effort.empty()) kwargs["reasoning_effort"] = spec.effort;
  if (!spec.work_directory.empty()) kwargs["repo"] = spec.work_directory;
  json::object config{{"provider", spec.provider}, {"endpoint", spec.backend.empty() ? spec.provider : spec.backend}};
  if (!spec.base_url.empty()) config["base_url"] = spec.base_url;
  config["kwargs"] = std::move(kwargs);
  return {{"endpoint", json::object{{"config", std::move(config)}}}};
}

}  // namespace

json::object branch_snapshot(const store::Run& run, const run::Spec& spec, const std::vector<run::Message>& past,
                             const run::AgentState& state, std::int64_t now_ms) {
  json::array messages;
  for (const auto& message : past) messages.push_back(labelled(message));
  for (const auto& message : complete_messages(state)) messages.push_back(labelled(message));
  return {{"id", run.session_id},
          {"name", run.component_name},
          {"user", run.user_id},
          {"created_at", static_cast<double>(run.created_ms) / 1000.0},
          {"metadata", json::object{{"run_id", run.run_id},
                                    {"event_count", state.next_index},
                                    {"status", run::name(state.status)},
                                    {"updated_at", static_cast<double>(now_ms) / 1000.0}}},
          {"system", spec.system_prompt},
          {"model_spec", model_spec_of(spec)},
          {"cwd", spec.work_directory},
          {"chat_model", chat_model(spec)},
          {"messages", std::move(messages)}};
}

std::string branch_file_name(std::string_view session_id) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string name;
  for (const char c : session_id) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (plain && !(c == '.' && name.empty())) {
      name += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    name += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return name.size() <= kFileNameBytesMax ? name : "sha256-" + base::sha256_hex(session_id);
}

}  // namespace engine
