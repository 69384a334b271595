#include "engine/history.h"

#include <limits>

#include "base/limits.h"

namespace engine {

namespace {

std::size_t size_of(const run::Message& message) {
  std::size_t bytes = message.text.size() + 64;
  for (const auto& call : message.tool_calls) bytes += call.arguments.size() + call.name.size() + 64;
  for (const auto& thought : message.thinking) bytes += thought.text.size() + thought.signature.size() + thought.redacted.size();
  return bytes;
}

// Applies the lines of a slice; false when `until` is reached.
bool apply_lines(run::AgentState& state, const store::Slice& slice, std::uint64_t until) {
  std::string_view rest = *slice.lines;
  while (!rest.empty()) {
    if (state.next_index >= until) return false;
    const auto end = rest.find('\n');
    const auto event = run::decode(rest.substr(0, end));
    if (!event)
      throw base::Broken("event " + std::to_string(state.next_index) + " of the run cannot be read: " + event.error().message);
    run::apply(state, *event);
    rest.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace

bool never_began(const run::AgentState& state) {
  return state.status == run::Status::cancelled && state.model_calls == 0 && !state.model_open;
}

aio::Task<run::AgentState> fold_run(store::Store& store, const store::Run& run, run::Spec spec, std::uint64_t until) {
  auto state = run::initial_state(spec, run.began_ms);
  if (run.first_kept > 0) throw base::Broken("the run's events were given up by retention");
  for (;;) {
    const auto slice = co_await store.read(run.number, state.next_index);
    if (!slice.count || !apply_lines(state, slice, until) || state.next_index >= until) co_return state;
  }
}

run::AgentState fold_known(const store::Run& run, const run::Spec& spec, const store::Slice& log) {
  auto state = run::initial_state(spec, run.began_ms);
  apply_lines(state, log, log.end());
  return state;
}

std::vector<run::Message> complete_messages(const run::AgentState& state) {
  auto messages = state.messages;
  // What a model said before it was cut is part of the conversation too.
  if (!state.open_text.empty()) messages.push_back({.role = run::Role::assistant, .text = state.open_text});
  if (!state.calls.empty()) {
    // The last model message asked for calls that are not all answered.
    while (!messages.empty() && messages.back().role == run::Role::tool) messages.pop_back();
    if (!messages.empty() && messages.back().role == run::Role::assistant) {
      messages.back().tool_calls.clear();
      messages.back().thinking.clear();
      if (messages.back().text.empty()) messages.pop_back();
    }
  }
  return messages;
}

void keep_last(std::vector<run::Message>& messages, std::size_t count) {
  if (messages.size() <= count) return;
  auto first = messages.end() - static_cast<std::ptrdiff_t>(count);
  while (first != messages.end() && first->role == run::Role::tool) ++first;
  messages.erase(messages.begin(), first);
}

aio::Task<std::vector<run::Message>> past_messages(store::Store& store, const store::Run& run) {
  if (run.history_through == 0 && !run.forked) co_return std::vector<run::Message>();  // the first of its session
  const auto past = co_await store.history(run.session, run.history_through);
  std::vector<std::vector<run::Message>> legs;
  std::size_t bytes = 0;
  auto wanted = std::numeric_limits<std::size_t>::max();  // messages that a compaction left
  // Newest first, until a bound is reached.
  for (auto leg = past.rbegin(); leg != past.rend(); ++leg) {
    if (leg->run.first_kept > 0) break;
    const auto spec = run::decode_spec(leg->run.spec);
    if (!spec) break;
    const auto state = co_await fold_run(store, leg->run, *spec, std::min(leg->until, leg->run.event_count));
    if (never_began(state)) continue;
    auto messages = complete_messages(state);
    keep_last(messages, wanted);
    wanted = std::min(wanted - messages.size(), state.past_kept.value_or(wanted));
    for (const auto& message : messages) bytes += size_of(message);
    if (bytes > base::limits::kHistoryBytesMax) break;
    legs.push_back(std::move(messages));
    if (wanted == 0) break;
  }
  std::vector<run::Message> all;
  for (auto leg = legs.rbegin(); leg != legs.rend(); ++leg) all.insert(all.end(), leg->begin(), leg->end());
  co_return all;
}

}  // namespace engine
