#include "api/agentos/run_view.h"

#include <boost/json/parse.hpp>

#include "api/agentos/encoder.h"
#include "api/agentos/event_fields.h"
#include "base/json.h"

namespace api::agentos {

namespace {

// Folds one line into the view: the state, and what lists show besides it.
void take_line(RunView& view, const Encoder& encoder, std::string_view line) {
  const auto event = run::decode(line);
  if (!event) return;  // a newer program's event: shown in streams as it is, without part in the fold
  const auto index = view.state.next_index;
  run::apply(view.state, *event);
  if (std::holds_alternative<run::TextDelta>(event->payload) || std::holds_alternative<run::ThinkingDelta>(event->payload)) return;
  std::string text;
  encoder.append_json(text, index, line);
  view.events.push_back(json::parse(text));
  if (std::holds_alternative<run::ToolCompleted>(event->payload)) view.tools.push_back(view.events.back().as_object().at("tool"));
  if (const auto* done = std::get_if<run::RunCompleted>(&event->payload)) {
    std::string metrics;
    append_metrics(metrics, done->metrics, done->model, done->provider);
    view.metrics = json::parse(metrics).as_object();
  }
  if (const auto* failed = std::get_if<run::RunError>(&event->payload)) view.error = failed->message;
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

json::object message(const RunView& view, std::size_t number, std::string_view role, std::string_view content, std::int64_t at_ms) {
  return {{"id", view.run.run_id + "-m" + std::to_string(number)},
          {"content", content},
          {"from_history", false},
          {"stop_after_tool_call", false},
          {"role", role},
          {"created_at", at_ms / 1000}};
}

json::array tool_calls_of(const run::Message& m) {
  json::array calls;
  for (const auto& call : m.tool_calls)
    calls.push_back({{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  return calls;
}

json::value content_of(const RunView& view) {
  if (view.run.status == run::Status::error && view.state.content.empty()) return text_or_null(view.error);
  return text_or_null(view.state.content);
}

}  // namespace

aio::Task<RunView> load_view(Context& context, store::Run run) {
  RunView view;
  view.run = std::move(run);
  if (auto spec = run::decode_spec(view.run.spec)) view.spec = std::move(*spec);
  view.state = run::initial_state(view.spec, view.run.created_ms);
  view.state.next_index = view.run.first_kept;
  const Encoder encoder(view.run);
  while (view.state.next_index < view.run.event_count) {
    const auto slice = co_await context.deps.store.read(view.run.number, view.state.next_index);
    if (!slice.count) break;
    std::string_view rest = *slice.lines;
    // The view is the run as its row was read: what came after is for the next look.
    while (!rest.empty() && view.state.next_index < view.run.event_count) {
      const auto end = rest.find('\n');
      const auto before = view.state.next_index;
      take_line(view, encoder, rest.substr(0, end));
      view.state.next_index = before + 1;
      rest.remove_prefix(end + 1);
    }
  }
  co_return view;
}

json::array messages(const RunView& view) {
  json::array all;
  if (!view.spec.system_prompt.empty()) all.push_back(message(view, all.size(), "system", view.spec.system_prompt, view.run.created_ms));
  for (const auto& m : view.state.messages) {
    const auto role = m.role == run::Role::user ? "user" : m.role == run::Role::assistant ? "assistant" : "tool";
    auto one = message(view, all.size(), role, m.text, m.at_ms);
    if (!m.tool_calls.empty()) one["tool_calls"] = tool_calls_of(m);
    if (m.role == run::Role::tool) {
      one["tool_call_id"] = m.tool_call_id;
      one["tool_name"] = m.tool_name;
      one["tool_call_error"] = m.is_error;
    }
    all.push_back(std::move(one));
  }
  if (!view.state.open_text.empty()) all.push_back(message(view, all.size(), "assistant", view.state.open_text, view.run.updated_ms));
  return all;
}

json::array chat_messages(const RunView& view) {
  json::array chat;
  for (auto& m : messages(view)) {
    const auto role = m.as_object().at("role").as_string();
    if (role == "user" || role == "assistant") chat.push_back(std::move(m));
  }
  return chat;
}

json::object run_output(const RunView& view) {
  const auto& r = view.run;
  const bool settled = run::is_terminal(r.status) || r.status == run::Status::paused;
  json::object o{{"run_id", r.run_id}, {"agent_id", r.component_id}, {"agent_name", r.component_name}, {"session_id", r.session_id},
                 {"parent_run_id", text_or_null(r.parent_run_id)}, {"user_id", text_or_null(r.user_id)},
                 {"content", content_of(view)}, {"content_type", "str"},
                 {"model", view.spec.model}, {"model_provider", view.spec.provider}};
  if (settled) o["session_state"] = json::object();
  o["created_at"] = r.created_ms / 1000;
  o["status"] = run::name(r.status);
  o["metrics"] = view.metrics;
  o["events"] = settled ? view.events : json::array();
  if (settled) o["messages"] = messages(view);
  if (!view.tools.empty()) o["tools"] = view.tools;
  o["input"] = json::object{{"input_content", view.spec.input}};
  if (!r.reason.empty()) o["reason"] = r.reason;
  if (r.event_count > 0) o["last_event_index"] = r.event_count - 1;
  return without_nulls(std::move(o));
}

json::object run_schema(const RunView& view) {
  const auto& r = view.run;
  const json::value null(nullptr);
  json::object media{{"images", json::array()}, {"videos", json::array()}, {"audios", json::array()}, {"files", json::array()}};
  return {{"run_id", r.run_id}, {"parent_run_id", r.parent_run_id}, {"agent_id", r.component_id}, {"user_id", r.user_id},
          {"status", run::name(r.status)}, {"run_input", view.spec.input}, {"content", content_of(view)}, {"run_response_format", "text"},
          {"reasoning_content", ""}, {"reasoning_steps", json::array()}, {"metrics", view.metrics}, {"messages", messages(view)},
          {"tools", view.tools.empty() ? null : json::value(view.tools)}, {"events", null},
          {"created_at", base::iso_utc(r.created_ms)}, {"references", json::array()}, {"citations", null},
          {"reasoning_messages", json::array()}, {"session_state", json::object()}, {"images", json::array()}, {"videos", json::array()},
          {"audio", json::array()}, {"files", json::array()}, {"response_audio", null}, {"input_media", std::move(media)},
          {"followups", null}, {"forked_from_run_id", null}, {"forked_from_message_index", null}, {"forked_from_session_id", null},
          {"regenerated_from", null}, {"last_checkpoint_at_message_index", null}};
}

json::object without_nulls(json::object object) {
  json::object kept;
  for (auto& [key, value] : object)
    if (!value.is_null()) kept[key] = std::move(value);
  return kept;
}

}  // namespace api::agentos
