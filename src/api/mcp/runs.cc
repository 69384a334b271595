#include "api/mcp/runs.h"

#include <algorithm>
#include <map>

#include "app/spec_of.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/history.h"
#include "run/question.h"
#include "run/recovery.h"

namespace api::mcp {

namespace limits = base::limits;

namespace {

constexpr std::size_t kTitleBytes = 200;

std::string known_agents(const Context& context) {
  std::string names;
  for (const auto& agent : context.app.agents) names += (names.empty() ? "" : ", ") + agent.id;
  return names;
}

// The one that is named, else the app's entry, else the first.
const app::Agent* agent_of(const Context& context, std::string_view name) {
  if (name.empty()) name = context.app.entry_agent;
  if (!name.empty()) return find_agent(context, name);
  return context.app.agents.empty() ? nullptr : &context.app.agents.front();
}

std::string error_of(const std::string& last_event) {
  const auto event = run::decode(last_event);
  const auto* error = event ? std::get_if<run::RunError>(&event->payload) : nullptr;
  return error ? std::string(run::name(error->cause)) + ": " + error->message : "";
}

bool settled(const store::Run& run) { return run::is_terminal(run.status) || run.status == run::Status::paused; }

bool is_decided(const store::Pause& pause, const run::ToolCall& call) {
  return std::ranges::find(pause.decided, call.id, &run::Decision::call_id) != pause.decided.end();
}

json::array shown_calls(const store::Pause& pause) {
  json::array calls;
  for (const auto& call : pause.calls) {
    if (is_decided(pause, call)) continue;
    auto arguments = base::parse_json(call.arguments.empty() ? "{}" : call.arguments);
    calls.push_back(
        json::object{{"call_id", call.id},
                     {"name", call.name},
                     {"arguments", arguments && arguments->is_object() ? std::move(*arguments) : json::value(call.arguments)}});
  }
  return calls;
}

// The call where this decision leaves its question without an answer; else null.
const run::ToolCall* unanswered(const store::Pause& pause, const run::Decision& decision) {
  const auto call = std::ranges::find(pause.calls, decision.call_id, &run::ToolCall::id);
  const bool lacks = call != pause.calls.end() && decision.approved && decision.note.empty() && run::wants_text(*call);
  return lacks ? &*call : nullptr;
}

// What the arguments decide; nothing where they decide nothing.
std::optional<std::vector<run::Decision>> read_decisions(const json::object& arguments, const store::Pause& pause) {
  std::vector<run::Decision> made;
  const auto* list = base::array_field(arguments, "decisions");
  if (list)
    for (const auto& item : *list)
      if (const auto* one = item.if_object())
        made.push_back({base::text_or_empty(*one, "call_id"), base::bool_field(*one, "approved").value_or(false),
                        base::text_or_empty(*one, "note")});
  const auto all = base::bool_field(arguments, "approve");
  if (list ? all.has_value() : !all) return std::nullopt;
  if (list) return made;
  if (pause.calls.empty() && !*all) return std::nullopt;  // a run that was parked has no call to reject
  for (const auto& call : pause.calls)
    if (!is_decided(pause, call)) made.push_back({.call_id = call.id, .approved = *all, .note = ""});
  return made;
}

aio::Task<bool> wait_until_settled(Context& context, store::Run run, std::int64_t until_ms) {
  auto& deps = context.deps;
  // A reader makes this process hear of what others append; it reads nothing itself.
  const engine::LiveLogs::Reader reader(deps.logs, run.number);
  for (;;) {
    const auto seen = deps.logs.ends();
    const auto now = co_await deps.store.find_run(run.run_id);
    const auto left = until_ms - deps.time.steady_ms();
    if (!now || settled(*now) || left <= 0) co_return true;
    if (deps.logs.ends() != seen) continue;
    co_await aio::wait_for(deps.time, deps.logs.ended(), std::chrono::milliseconds(std::min(left, limits::kTailPollMs)));
  }
}

}  // namespace

std::string user_of(const Caller& caller) { return "mcp:" + caller.session_id; }

aio::Task<base::Result<store::Run>> start_run(Context& context, json::object arguments, Caller caller, std::string key) {
  const auto invalid = [](std::string message) { return base::fail(base::Errc::invalid_argument, "run_start: " + std::move(message)); };
  const auto message = base::text_or_empty(arguments, "message");
  if (message.empty()) co_return invalid("'message' is required");
  const auto name = base::text_or_empty(arguments, "agent");
  const auto* agent = agent_of(context, name);
  if (!agent) co_return base::fail(base::Errc::not_found, "run_start: no agent '" + name + "'; there are: " + known_agents(context));
  engine::LaunchRequest launch;
  launch.session_id = base::text_or_empty(arguments, "session_id");
  if (!launch.session_id.empty() && !base::valid_session_id(launch.session_id))
    co_return invalid("session_id must be 1-256 bytes without control characters");
  if (launch.session_id.empty()) launch.session_id = base::new_uuid(context.deps.random);
  launch.spec = app::spec_of(*agent);
  launch.spec.input = message;
  launch.spec.work_directory = context.work_directory;
  if (const auto policy = base::string_field(arguments, "recovery")) {
    const auto known = run::parse_recovery(*policy);
    if (!known) co_return invalid("recovery is one of resume, retry, ask, fail, continue-with-partial");
    launch.spec.recovery = *known;
  }
  if (const auto seconds = base::number_field(arguments, "timeout_seconds"); seconds && *seconds > 0)
    launch.spec.limits.timeout_ms = static_cast<std::int64_t>(std::min(*seconds, 1e9) * 1000);
  launch.component_id = agent->id;
  launch.component_name = agent->name;
  launch.session_name = std::string(base::utf8_prefix(message, kTitleBytes));
  launch.user_id = user_of(caller);
  launch.launch_key = launch.user_id + '\x1f' + std::move(key);
  launch.request_digest = base::sha256_hex(base::to_text(arguments));
  auto launched = co_await context.executor.launch(std::move(launch));
  if (launched.known == store::Known::no_room)
    co_return base::fail(base::Errc::busy, "run_start: too many runs wait for a place; nothing was started, try again later");
  if (launched.known == store::Known::other_request || launched.known == store::Known::other_component)
    co_return base::fail(base::Errc::conflict, "run_start: the idempotency key was used with another request");
  co_return std::move(launched.run);
}

aio::Task<base::Result<store::Run>> find_agent_run(Context& context, std::string run_id) {
  auto run = co_await context.deps.store.find_run(run_id);
  if (!run || run->kind == store::kKindTool) co_return base::fail(base::Errc::not_found, "Run '" + run_id + "' not found.");
  co_return run;
}

aio::Task<base::Result<store::Run>> wait_for_run(Context& context, store::Run run, std::int64_t until_ms, Call& call) {
  auto waiting = wait_until_settled(context, run, until_ms);
  co_await call.waits.run(std::move(waiting));
  co_return co_await context.deps.store.find_run(run.run_id);
}

aio::Task<json::object> describe_run(Context& context, store::Run run) {
  json::object out{{"run_id", run.run_id},
                   {"session_id", run.session_id},
                   {"agent", run.component_id},
                   {"status", run::name(run.status)},
                   {"reason", run.reason},
                   {"created_at", base::iso_utc_ms(run.created_ms)},
                   {"event_count", run.event_count}};
  if (run.ended_ms) out["ended_at"] = base::iso_utc_ms(run.ended_ms);
  if (run.status == run::Status::paused) {
    out["waits_for"] = "a person's decision: run_continue, or outlast approve " + run.run_id;
    const auto pause = co_await context.deps.store.pause_of(run.number);
    if (pause) out["waiting_calls"] = shown_calls(*pause);
  }
  auto spec = run::decode_spec(run.spec);
  if (run.first_kept > 0 || !spec) {
    out["note"] = "its events were given up by retention";
    co_return out;
  }
  const auto state = co_await engine::fold_run(context.deps.store, run, std::move(*spec), run.event_count);
  const auto content = base::utf8_suffix(state.content, limits::kToolResultBytesMax);
  out["content"] = content;
  if (content.size() < state.content.size()) out["content_bytes_left_out"] = state.content.size() - content.size();
  if (run.status == run::Status::error) {
    const auto last = co_await context.deps.store.last_event(run.number);
    out["error"] = error_of(last);
  }
  co_return out;
}

aio::Task<base::Result<json::object>> continue_run(Context& context, store::Run run, json::object arguments) {
  auto& store = context.deps.store;
  const auto named = [](base::Error error) { return base::fail(error.code, "run_continue: " + error.message); };
  auto pause = co_await store.pause_of(run.number);
  if (!pause) co_return named(pause.error());
  auto decisions = read_decisions(arguments, *pause);
  if (!decisions)
    co_return named({base::Errc::invalid_argument,
                     "give either decisions, a list of {call_id, approved, note?}, or approve: true or false for all "
                     "calls that wait (a run that was parked without any can only be approved, or cancelled)"});
  for (const auto& one : *decisions)
    if (const auto* call = unanswered(*pause, one))
      co_return named({base::Errc::invalid_argument, "call '" + call->id + "' asks a question; give the user's answer as its note"});
  auto decided = co_await store.decide(run.number, std::move(*decisions));
  if (!decided) co_return named(decided.error());
  json::array waiting;
  if (!decided->goes_on) {
    pause = co_await store.pause_of(run.number);
    if (pause) waiting = shown_calls(*pause);
  }
  co_return json::object{
      {"run_id", run.run_id}, {"status", run::name(decided->run.status)}, {"waiting_calls", std::move(waiting)}};
}

aio::Task<std::string> events_of(Context& context, store::Run run, std::uint64_t from, std::int64_t limit) {
  auto next = std::max(from, run.first_kept);
  std::string events;
  std::int64_t count = 0;
  bool more = true;
  while (more && next < run.event_count) {
    const auto slice = co_await context.deps.store.read(run.number, next);
    if (!slice.count) break;
    std::string_view rest = *slice.lines;
    for (auto index = slice.first; more && !rest.empty(); ++index) {
      const auto end = rest.find('\n');
      const auto line = rest.substr(0, end);
      rest.remove_prefix(end + 1);
      if (index < next) continue;
      events += (events.empty() ? "" : ",") + std::string("{\"index\":") + std::to_string(index) + "," + std::string(line.substr(1));
      next = index + 1;
      more = ++count < limit && events.size() < limits::kMcpEventsBytesMax && next < run.event_count;
    }
  }
  const json::object head{{"run_id", run.run_id},
                          {"status", run::name(run.status)},
                          {"next", next},
                          {"first_kept", run.first_kept},
                          {"event_count", run.event_count}};
  auto text = base::to_text(head);
  text.pop_back();
  co_return text + ",\"events\":[" + events + "]}";
}

}  // namespace api::mcp
