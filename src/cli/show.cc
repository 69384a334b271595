#include "cli/show.h"

#include <algorithm>

#include "base/clock.h"
#include "base/json.h"
#include "cli/run_files.h"
#include "cli/run_json.h"
#include "cli/run_situation.h"
#include "cli/store_command.h"
#include "engine/flow_execution.h"
#include "engine/history.h"
#include "engine/projection_manifest.h"

namespace cli {

namespace json = boost::json;

namespace {

// What is known about a run, gathered once for both forms.
struct Details {
  store::Run run;
  run::Spec spec;
  run::AgentState state;  // empty where the events were given up
  std::vector<store::Fact> facts;
  std::vector<run::MemoryEntry> memory;  // of its session
  std::vector<std::string> operations;   // of a flow, a line each
  std::string error, note, directory;
};

// What a flow has come to, in place of a conversation.
aio::Task<> add_flow(Process& process, Details& d) {
  const auto flow = co_await engine::fold_flow(*process.store, d.run, d.spec);
  d.state.content = run::flow_content(flow);
  d.state.usage = flow.usage;
  for (const auto& op : flow.plan.operations) {
    const auto* known = run::find_op(flow, op.id);
    const auto now = known && known->ended() ? known->ended_ms : process.time.wall_ms();
    auto line = op.id + " (" + op.agent_id + ")  " + std::string(run::name(known ? known->phase : run::OpPhase::waiting));
    if (known && known->started_ms) line += " " + duration(now - known->started_ms) + "  " + known->run_id;
    if (known && known->retry_at_ms) line += "  again at " + base::iso_utc(known->retry_at_ms);
    if (known && !known->error.empty()) line += "  " + known->error;
    d.operations.push_back(std::move(line));
  }
}

// The launching command holds a run first, without executing it; it is no attempt.
std::int64_t attempts(const store::Run& run) { return run.origin == "command" && run.epoch > 1 ? run.epoch - 1 : run.epoch; }

// The last event says what ended the run; the fold has the rest.
std::string error_of(const std::string& last_event) {
  const auto event = run::decode(last_event);
  const auto* error = event ? std::get_if<run::RunError>(&event->payload) : nullptr;
  return error ? std::string(run::name(error->cause)) + ": " + error->message : "";
}

aio::Task<Checked<Details>> gather(Process& process, std::string id) {
  auto run = co_await resolve_run(process, std::move(id));
  if (!run) co_return std::unexpected(run.error());
  Details d{.run = std::move(*run), .spec = {}, .state = {}, .facts = {}, .memory = {}, .operations = {}, .error = {}, .note = {}, .directory = {}};
  auto spec = run::decode_spec(d.run.spec);
  if (!spec) co_return refuse(spec.error());
  d.spec = std::move(*spec);
  if (d.run.first_kept == 0) d.state = co_await engine::fold_run(*process.store, d.run, d.spec);
  if (d.run.first_kept == 0 && d.spec.flow) co_await add_flow(process, d);
  d.facts = co_await process.store->facts(d.run.number);
  d.memory = (co_await process.store->memory(d.run.session, {})).items;
  const auto last = co_await process.store->last_event(d.run.number);
  d.error = error_of(last);
  const bool orphan = d.run.status < run::Status::paused && co_await is_orphan(process, d.run.number);
  d.note = d.run.first_kept ? "its events were given up by retention (keep_days)"
                            : waits_for(d.run, d.state, orphan, process.time.wall_ms());
  d.directory = directory_of(process.settings, d.run);
  co_return d;
}

json::object memory_json(const std::vector<run::MemoryEntry>& memory) {
  json::value goal;
  json::array todos, facts;
  for (const auto& entry : memory) {
    json::object o{{"id", entry.number}, {"content", entry.content}};
    if (entry.kind == run::MemoryKind::todo) o["status"] = run::name(entry.status);
    if (entry.kind == run::MemoryKind::fact) {
      o["category"] = text_json(entry.category);
      o["importance"] = text_json(entry.importance);
    }
    o["created_at"] = time_json(entry.created_ms);
    o["changed_at"] = time_json(entry.changed_ms);
    if (entry.kind == run::MemoryKind::goal)
      goal = std::move(o);
    else
      (entry.kind == run::MemoryKind::todo ? todos : facts).push_back(std::move(o));
  }
  return {{"goal", std::move(goal)}, {"todos", std::move(todos)}, {"facts", std::move(facts)}};
}

void print_json(const Details& d) {
  auto o = listed_json(d.run, d.note);
  o["branch_id"] = d.run.session_id;
  o["parent_run_id"] = text_json(d.run.parent_run_id);
  o["run_dir"] = text_json(d.directory);
  o["prompt"] = d.spec.input;
  o["cwd"] = text_json(d.spec.work_directory);
  json::array tools, facts;
  for (const auto& tool : d.spec.tools) tools.emplace_back(tool.name);
  o["tools"] = std::move(tools);
  o["cancel_requested"] = d.run.cancel_requested;
  o["attempts"] = attempts(d.run);
  o["model_calls"] = d.state.model_calls;
  o["tool_calls"] = d.state.tool_calls;
  o["usage"] = usage_json(d.state.usage);
  for (const auto& fact : d.facts)
    facts.push_back({{"at", time_json(fact.at_ms)},
                     {"attempt", fact.epoch},
                     {"type", fact.type},
                     {"data", base::parse_json(fact.data).value_or(json::value(fact.data))}});
  o["facts"] = std::move(facts);
  o["memory"] = memory_json(d.memory);
  o["error"] = text_json(d.error);
  o["content"] = d.state.content;
  put_line(base::to_text(o));
}

std::string fact_text(const store::Fact& fact) {
  const auto data = base::parse_json(fact.data);
  const auto* o = data ? data->if_object() : nullptr;
  if (!o || fact.type != "model_retry") return fact.type + " " + fact.data;
  return "model call failed and was made again after " + duration(base::int_or_zero(*o, "delay_ms")) + ": " +
         base::text_or_empty(*o, "message");
}

std::string_view memory_label(run::MemoryKind kind) { return kind == run::MemoryKind::fact ? "remembered" : run::name(kind); }

std::string memory_text(const run::MemoryEntry& entry) {
  const auto status = entry.kind == run::MemoryKind::todo ? " [" + std::string(run::name(entry.status)) + "]" : "";
  return "#" + std::to_string(entry.number) + status + "  " + one_line(entry.content, 120);
}

void print_text(const Details& d, std::int64_t now_ms) {
  const auto& run = d.run;
  std::string out;
  const auto row = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out += padded(name, 11) + harmless(value) + "\n";
  };
  const auto outcome = engine::outcome_of(run.status, run.reason);
  row("run", run.run_id);
  row("status", std::string(run::name(run.status)) + (run.reason.empty() ? "" : "  " + run.reason) +
                    (outcome.exit_code ? "  (exit code " + std::to_string(*outcome.exit_code) + ")" : ""));
  row("note", d.note);
  row("error", d.error);
  row("agent", run.component_name);
  row("model", engine::model_spec_of(d.spec));
  row("branch", run.session_id);
  row("started", base::iso_utc(run.created_ms) + "  (" + age(run.created_ms, now_ms) + " ago)");
  if (run.ended_ms) row("ended", base::iso_utc(run.ended_ms) + "  (after " + duration(run.ended_ms - run.created_ms) + ")");
  row("cwd", d.spec.work_directory);
  row("directory", d.directory);
  const auto tries = attempts(run);
  row("events", std::to_string(run.event_count) + ", " + std::to_string(d.state.model_calls) + " model calls, " +
                    std::to_string(d.state.tool_calls) + " tool calls, " + std::to_string(tries) +
                    (tries == 1 ? " attempt" : " attempts"));
  row("tokens", std::to_string(d.state.usage.input_tokens) + " in, " + std::to_string(d.state.usage.output_tokens) + " out" + cost_words(d.state.usage));
  for (const auto& line : d.operations) row("operation", one_line(line, 160));
  for (const auto& fact : d.facts) row("fact", base::iso_utc(fact.at_ms) + "  " + one_line(fact_text(fact), 120));
  for (const auto& entry : d.memory) row(memory_label(entry.kind), memory_text(entry));
  row("prompt", one_line(d.spec.input, 120));
  if (!d.state.content.empty()) out += "\n" + harmless(d.state.content) + (d.state.content.ends_with('\n') ? "" : "\n");
  put(out);
}

aio::Task<int> show(Process& process, const ShowOptions& options) {
  const auto details = co_await gather(process, options.id);
  if (!details) co_return complain(details.error());
  co_await files_settled(process, details->run);
  if (options.json)
    print_json(*details);
  else
    print_text(*details, process.time.wall_ms());
  co_return kOk;
}

}  // namespace

int run_show(const ShowOptions& options) {
  return with_store([&options](Process& process) { return show(process, options); });
}

}  // namespace cli
