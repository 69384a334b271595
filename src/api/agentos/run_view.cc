#include "api/agentos/run_view.h"

#include "api/agentos/course.h"
#include "api/agentos/encoder.h"
#include "api/agentos/event_fields.h"
#include "api/agentos/own_json.h"
#include "base/json.h"

namespace api::agentos {

namespace {

// Folds one line into the view: the state, and what lists show besides it.
void take_line(RunView& view, const Encoder& encoder, std::string_view line, Events keep) {
  const auto event = run::decode(line);
  if (!event) return;  // a newer program's event: shown in streams as it is, without part in the fold
  const auto index = view.state.next_index;
  run::apply(view.state, *event);
  if (std::holds_alternative<run::TextDelta>(event->payload) || std::holds_alternative<run::ThinkingDelta>(event->payload))
    return;
  if (keep == Events::keep) {
    std::string text;
    encoder.append_json(text, index, line);
    view.events.push_back(parse_own_json(text));
  }
  view.tools.take(*event);
  if (const auto* call = std::get_if<run::ModelCompleted>(&event->payload))
    view.calls.push_back({view.state.messages.size() - 1, call->usage, call->first_token_ms});
  if (const auto* done = std::get_if<run::RunCompleted>(&event->payload)) {
    view.metrics = done->metrics;
    view.model = done->model;
    view.provider = done->provider;
  }
  if (const auto* failed = std::get_if<run::RunError>(&event->payload)) view.error = failed->message;
}

// A pause or a failure says no figures of its own: they are those of the fold.
void complete_metrics(RunView& view) {
  if (view.metrics || !settled(view.run)) return;
  view.metrics = run::Metrics{.usage = view.state.usage,
                              .duration_ms = std::max<std::int64_t>(0, view.run.updated_ms - view.run.created_ms),
                              .first_token_ms = view.state.first_token_ms};
  view.model = view.spec.model;
  view.provider = view.spec.provider;
}

json::object message(const RunView& view, std::size_t number, std::string_view role, std::string_view content) {
  json::object m{{"id", view.run.run_id + "-m" + std::to_string(number)}};
  if (!content.empty() || role == "tool") m["content"] = content;  // a model that only called tools said nothing
  m["from_history"] = false;
  m["stop_after_tool_call"] = false;
  m["role"] = role;
  return m;
}

json::array tool_calls_of(const run::Message& m) {
  json::array calls;
  for (const auto& call : m.tool_calls)
    calls.push_back({{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  return calls;
}

json::object figures(const run::Usage& usage) {
  return {{"input_tokens", usage.input_tokens}, {"output_tokens", usage.output_tokens}, {"total_tokens", usage.total()}};
}

// The call that the result at `at` answers: of the nearest message before it that made one of that id.
const run::ToolCall* call_answered(const std::vector<run::Message>& all, std::size_t at) {
  for (auto i = at; i-- > 0;)
    for (const auto& call : all[i].tool_calls)
      if (call.id == all[at].tool_call_id) return &call;
  return nullptr;
}

void add_tool_result(json::object& m, const std::vector<run::Message>& all, std::size_t at) {
  m["tool_call_id"] = all[at].tool_call_id;
  m["tool_name"] = all[at].tool_name;
  if (const auto* call = call_answered(all, at)) {
    std::string arguments;
    append_arguments(arguments, *call);
    m["tool_args"] = parse_own_json(arguments);
  }
  m["tool_call_error"] = all[at].is_error;
}

void add_figures(json::object& m, const RunView& view, std::size_t at) {
  const auto call = std::ranges::find(view.calls, at, &CallFigures::message);
  if (call == view.calls.end()) return;
  auto o = figures(call->usage);
  if (call->first_token_ms) o["time_to_first_token"] = static_cast<double>(*call->first_token_ms) / 1000;
  m["metrics"] = std::move(o);
}

json::value content_of(const RunView& view) {
  if (view.run.status == run::Status::error) return text_or_null(view.error);
  if (view.run.status == run::Status::paused && view.state.content.empty()) return json::string(kPausedContent);
  return text_or_null(view.state.content);
}

json::object metrics_of(const RunView& view) {
  if (!view.metrics) return {};
  return metrics_json(*view.metrics, view.model, view.provider);
}

}  // namespace

aio::Task<RunView> load_view(Context& context, store::Run run, Events events) {
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
      take_line(view, encoder, rest.substr(0, end), events);
      view.state.next_index = before + 1;
      rest.remove_prefix(end + 1);
    }
  }
  complete_metrics(view);
  co_return view;
}

json::array messages(const RunView& view) {
  json::array all;
  const auto add = [&all](json::object m, std::int64_t at_ms) {
    m["created_at"] = at_ms / 1000;
    all.push_back(std::move(m));
  };
  if (!view.spec.system_prompt.empty()) add(message(view, 0, "system", view.spec.system_prompt), view.run.created_ms);
  const auto& said = view.state.messages;
  for (std::size_t i = 0; i < said.size(); ++i) {
    const auto role = said[i].role == run::Role::user ? "user" : said[i].role == run::Role::assistant ? "assistant" : said[i].role == run::Role::system ? "system" : "tool";
    auto m = message(view, all.size(), role, said[i].text);
    if (!said[i].tool_calls.empty()) m["tool_calls"] = tool_calls_of(said[i]);
    if (said[i].role == run::Role::tool) add_tool_result(m, said, i);
    add_figures(m, view, i);
    add(std::move(m), said[i].at_ms);
  }
  if (!view.state.open_text.empty()) add(message(view, all.size(), "assistant", view.state.open_text), view.run.updated_ms);
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
  const bool over = settled(r);
  json::object o{{"run_id", r.run_id},
                 {"agent_id", r.component_id},
                 {"agent_name", r.component_name},
                 {"session_id", r.session_id},
                 {"parent_run_id", text_or_null(r.parent_run_id)},
                 {"user_id", text_or_null(r.user_id)},
                 {"content", content_of(view)},
                 {"content_type", "str"},
                 {"model", view.spec.model},
                 {"model_provider", view.spec.provider}};
  if (over) o["session_state"] = json::object();
  o["created_at"] = r.created_ms / 1000;
  o["status"] = run::name(r.status);
  o["metrics"] = metrics_of(view);
  o["events"] = over ? view.events : json::array();
  if (over) o["messages"] = messages(view);
  if (auto tools = view.tools.tools(); !tools.empty()) o["tools"] = std::move(tools);
  if (auto requirements = view.tools.requirements(); !requirements.empty()) o["requirements"] = std::move(requirements);
  o["input"] = json::object{{"input_content", view.spec.input}};
  if (!r.reason.empty()) o["reason"] = r.reason;
  if (r.event_count > 0) o["last_event_index"] = r.event_count - 1;
  return without_nulls(std::move(o));
}

json::object run_schema(const RunView& view) {
  const auto& r = view.run;
  const json::value null(nullptr);
  json::object media{{"images", json::array()}, {"videos", json::array()}, {"audios", json::array()}, {"files", json::array()}};
  auto tools = view.tools.tools();
  return {{"run_id", r.run_id},
          {"parent_run_id", r.parent_run_id},
          {"agent_id", r.component_id},
          {"user_id", r.user_id},
          {"status", run::name(r.status)},
          {"run_input", view.spec.input},
          {"content", content_of(view)},
          {"run_response_format", "text"},
          {"reasoning_content", ""},
          {"reasoning_steps", json::array()},
          {"metrics", metrics_of(view)},
          {"messages", messages(view)},
          {"tools", tools.empty() ? null : json::value(std::move(tools))},
          {"events", null},
          {"created_at", base::iso_utc(r.created_ms)},
          {"references", json::array()},
          {"citations", null},
          {"reasoning_messages", json::array()},
          {"session_state", json::object()},
          {"images", json::array()},
          {"videos", json::array()},
          {"audio", json::array()},
          {"files", json::array()},
          {"response_audio", null},
          {"input_media", std::move(media)},
          {"followups", null},
          {"forked_from_run_id", null},
          {"forked_from_message_index", null},
          {"forked_from_session_id", null},
          {"regenerated_from", null},
          {"last_checkpoint_at_message_index", null}};
}

json::object metrics_json(const run::Metrics& metrics, std::string_view model, std::string_view provider) {
  std::string text;
  append_metrics(text, metrics, model, provider);
  return parse_own_json(text).as_object();
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

json::object without_nulls(json::object object) {
  json::object kept;
  for (auto& [key, value] : object)
    if (!value.is_null()) kept[key] = std::move(value);
  return kept;
}

}  // namespace api::agentos
