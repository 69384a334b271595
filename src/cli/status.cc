#include "cli/status.h"

#include "base/clock.h"
#include "base/json.h"
#include "cli/named_run.h"
#include "cli/run_json.h"
#include "cli/run_situation.h"
#include "cli/store_command.h"
#include "engine/projection_manifest.h"

namespace cli {

namespace json = boost::json;

namespace {

int code_of(const store::Run& run) {
  if (!run::is_terminal(run.status)) return kStillRunning;
  return engine::outcome_of(run.status, run.reason).exit_code == kOk ? kOk : kFailed;
}

std::int64_t lasted_ms(const store::Run& run, std::int64_t now_ms) {
  return std::max<std::int64_t>(0, (run.ended_ms ? run.ended_ms : now_ms) - run.created_ms);
}

json::value executor_json(const Situation& s) {
  if (!s.holder) return nullptr;
  return json::object{{"pid", s.holder->owner.pid}, {"host", host_name(s.holder->owner)}, {"alive", s.holder->lives}};
}

json::array decisions_json(const std::vector<store::Run>& paused) {
  json::array list;
  for (const auto& run : paused)
    list.push_back(json::object{{"run_id", run.run_id}, {"agent", run.component_id}, {"reason", run.reason}});
  return list;
}

// What its user groups a flow by.
std::string label(const Situation& s, std::string run::FlowSpec::*which) {
  return s.spec && s.spec->flow ? (*s.spec->flow).*which : std::string();
}

json::object data_of(const Situation& s, std::int64_t now_ms) {
  const auto& run = s.run;
  const auto outcome = engine::outcome_of(run.status, run.reason);
  return {{"run_id", run.run_id},
          {"kind", run.kind},
          {"agent", text_json(run.component_name)},
          {"status", outcome.word},
          {"reason", text_json(run.reason)},
          {"exit_code", outcome.exit_code ? json::value(*outcome.exit_code) : json::value()},
          {"started_at", time_json(run.created_ms)},
          {"ended_at", time_json(run.ended_ms)},
          {"duration_s", static_cast<double>(lasted_ms(run, now_ms)) / 1000.0},
          {"branch_id", run.session_id},
          {"parent_run_id", text_json(run.parent_run_id)},
          {"executor", executor_json(s)},
          {"waits_for", text_json(s.waits_for)},
          {"invocation_id", text_json(label(s, &run::FlowSpec::invocation))},
          {"project", text_json(label(s, &run::FlowSpec::project))},
          {"decisions", decisions_json(s.paused)},
          {"cancel_requested", run.cancel_requested},
          {"children", children_json(s.children)},
          {"usage", s.usage ? json::value(usage_json(*s.usage)) : json::value()},
          {"state_root", text_json(s.directory)},
          {"artifact_dir", text_json(s.artifacts)}};
}

std::string children_text(const store::ChildCounts& c) {
  if (!c.total()) return {};
  return std::to_string(c.running) + " running, " + std::to_string(c.completed) + " done, " + std::to_string(c.failed) +
         " failed" + (c.pending ? ", " + std::to_string(c.pending) + " waiting" : "");
}

// What a person may do next, where that is not obvious.
std::string next_of(const Situation& s) {
  if (s.run.status == run::Status::paused) return "outlast show " + s.run.run_id + ", then: outlast approve " + s.run.run_id;
  if (!s.paused.empty()) return "outlast show " + s.paused.front().run_id + ", then: outlast approve " + s.paused.front().run_id;
  if (run::is_terminal(s.run.status)) return "outlast show " + s.run.run_id;
  return "outlast wait " + s.run.run_id + ", or: outlast kill " + s.run.run_id;
}

void print_text(const Situation& s, std::int64_t now_ms) {
  const auto& run = s.run;
  std::string out;
  const auto row = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out += padded(name, 10) + harmless(value) + "\n";
  };
  const auto outcome = engine::outcome_of(run.status, run.reason);
  row("run", run.run_id);
  row("kind", run.kind + (run.component_name == run.kind ? "" : "  " + run.component_name));
  row("status", std::string(outcome.word) + (s.orphan ? ", but nobody executes it" : "") +
                    (run.reason.empty() ? "" : "  " + run.reason) +
                    (outcome.exit_code ? "  (exit code " + std::to_string(*outcome.exit_code) + ")" : ""));
  const auto lasted = duration(lasted_ms(run, now_ms));
  row("started", base::iso_utc(run.created_ms) + (run.ended_ms ? "" : "  (for " + lasted + ")"));
  if (run.ended_ms) row("ended", base::iso_utc(run.ended_ms) + "  (after " + lasted + ")");
  row("executor", executor_text(s));
  row("waits for", s.waits_for);
  if (s.usage) row("tokens", std::to_string(s.usage->input_tokens) + " in, " + std::to_string(s.usage->output_tokens) + " out" + cost_words(*s.usage));
  row("children", children_text(s.children));
  row("part of", run.parent_run_id);
  row("invoked", label(s, &run::FlowSpec::invocation));
  row("project", label(s, &run::FlowSpec::project));
  row("directory", s.directory);
  row("next", next_of(s));
  put(out);
}

aio::Task<int> status(Process& process, const StatusOptions& options) {
  auto run = co_await named_run(process, options.id);
  if (!run) {
    if (!options.json) co_return complain(run.error());
    put_line(error_json(error_kind(run.error().code), run.error().message));
    co_return exit_code_of(run.error().code);
  }
  const auto situation = co_await situation_of(process, std::move(*run));
  if (options.json)
    put_line(answer_json(data_of(situation, process.time.wall_ms())));
  else
    print_text(situation, process.time.wall_ms());
  co_return code_of(situation.run);
}

}  // namespace

int run_status(const StatusOptions& options) {
  return with_store([&options](Process& process) { return status(process, options); }, report_for(options.json));
}

}  // namespace cli
