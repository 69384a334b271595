#include "api/apps/history.h"

#include "api/apps/place.h"
#include "base/json.h"
#include "base/limits.h"
#include "engine/history.h"
#include "run/agent.h"

namespace api::apps {

namespace json = boost::json;
namespace limits = base::limits;

namespace {

// A turn's fold, with the index of the event that each message came with.
struct Said {
  run::AgentState state;
  std::vector<std::uint64_t> indices;  // beside state.messages

  explicit Said(run::AgentState initial) : state(std::move(initial)) { indices.assign(state.messages.size(), 0); }

  void take(std::string_view line) {
    const auto event = run::decode(line);
    const auto index = state.next_index;
    // A notice stands before the message that is being answered.
    const bool unanswered = state.calls.empty() && !state.messages.empty() && state.messages.back().role == run::Role::user;
    // What the model is no longer given was said all the same.
    if (event && !std::holds_alternative<run::ContextCompacted>(event->payload)) run::apply(state, *event);
    state.next_index = index + 1;
    const auto added = state.messages.size() - indices.size();
    if (!added) return;
    const bool before = unanswered && std::holds_alternative<run::Notice>(event->payload);
    indices.insert(indices.end() - (before ? 1 : 0), added, index);
  }
};

aio::Task<Said> fold(store::Store& store, const store::Run& turn, run::Spec spec) {
  Said said(run::initial_state(spec, turn.created_ms));
  said.state.next_index = turn.first_kept;
  while (said.state.next_index < turn.event_count) {
    const auto slice = co_await store.read(turn.number, said.state.next_index);
    if (!slice.count) break;
    std::string_view rest = *slice.lines;
    while (!rest.empty() && said.state.next_index < turn.event_count) {
      const auto end = rest.find('\n');
      said.take(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
  }
  co_return said;
}

std::string_view name(run::Role role) {
  static constexpr std::string_view kNames[] = {"user", "assistant", "tool", "system"};
  return kNames[static_cast<std::size_t>(role)];
}

// As the object that they are; what is no object is shown as the text that the model wrote.
json::value arguments_of(const run::ToolCall& call) {
  auto value = base::parse_json(call.arguments.empty() ? "{}" : call.arguments);
  return value && value->is_object() ? std::move(*value) : json::value(call.arguments);
}

json::object shown(const run::Message& message, const store::Run& turn, std::uint64_t seq) {
  json::object out{{"role", name(message.role)},
                   {"content", message.text},
                   {"run_id", turn.run_id},
                   {"seq", seq},
                   {"ts", base::iso_utc_ms(message.at_ms)}};
  if (!message.tool_calls.empty()) {
    json::array calls;
    for (const auto& call : message.tool_calls)
      calls.push_back({{"id", call.id}, {"name", call.name}, {"arguments", arguments_of(call)}});
    out["tool_calls"] = std::move(calls);
  }
  if (message.role == run::Role::tool) {
    out["tool_call_id"] = message.tool_call_id;
    out["tool_name"] = message.tool_name;
    out["is_error"] = message.is_error;
  }
  return out;
}

// Adds what one turn has said so far; the bytes of it.
std::size_t add(json::array& messages, const Said& said, const store::Run& turn, std::uint64_t first) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < said.state.messages.size(); ++i) {
    const auto& message = said.state.messages[i];
    messages.push_back(shown(message, turn, first + said.indices[i]));
    bytes += message.text.size();
    for (const auto& call : message.tool_calls) bytes += call.arguments.size();
  }
  if (said.state.open_text.empty()) return bytes;
  // What the model is saying, or said before it was cut.
  const run::Message open{.role = run::Role::assistant, .text = said.state.open_text, .at_ms = turn.updated_ms};
  auto partial = shown(open, turn, first + *said.state.delta_first);
  partial["partial"] = true;
  messages.push_back(std::move(partial));
  return bytes + open.text.size();
}

}  // namespace

aio::Task<json::object> history(Context& context, store::Session session, std::uint64_t from, std::size_t limit) {
  auto& store = context.deps.store;
  const auto turns = co_await store.turns(session.number);
  json::object out{{"session_id", session.session_id}};
  json::array messages;
  std::size_t bytes = 0;
  std::uint64_t first = 0;
  for (const auto& turn : turns) {
    if (!turn.event_count) break;  // it has not begun, nor has any behind it
    const auto end = first + turn.event_count;
    if (end > from) {
      if (messages.size() >= limit || bytes >= limits::kEventsPageBytesMax) {
        out["next"] = first;
        break;
      }
      const auto run = co_await store.find_run(turn.run_id);
      const auto spec = run ? run::decode_spec(run->spec) : base::Result<run::Spec>(base::fail(base::Errc::not_found, ""));
      if (spec) {
        const auto said = co_await fold(store, *run, *spec);
        if (!engine::never_began(said.state)) bytes += add(messages, said, *run, first);
      }
    }
    if (!run::is_terminal(turn.status)) break;
    first = end;
  }
  out["messages"] = std::move(messages);
  co_return out;
}

}  // namespace api::apps
