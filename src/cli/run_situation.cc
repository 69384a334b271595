#include "cli/run_situation.h"

#include "base/clock.h"
#include "base/limits.h"
#include "cli/run_files.h"
#include "cli/store_command.h"
#include "engine/flow_execution.h"
#include "engine/history.h"
#include "store/liveness.h"

namespace cli {

namespace {

// Runs of other kinds are more than one conversation; what they do is told by their children.
bool is_one_conversation(const store::Run& run) { return run.kind == "agent" || run.kind == store::kKindTool; }

aio::Task<std::optional<run::AgentState>> cheap_fold(Process& process, const store::Run& run, const run::Spec& spec) {
  if (!is_one_conversation(run) || run.first_kept || run.event_count > base::limits::kStatusEventsMax) co_return std::nullopt;
  co_return co_await engine::fold_run(*process.store, run, spec);
}

// What it has used so far, where that is read at once too.
aio::Task<std::optional<run::Usage>> usage_of(Process& process, const store::Run& run, const run::Spec& spec, const std::optional<run::AgentState>& state) {
  if (state) co_return state->usage;
  if (run.first_kept || run.event_count > base::limits::kStatusEventsMax) co_return std::nullopt;
  if (spec.flow) co_return (co_await engine::fold_flow(*process.store, run, spec, run.event_count)).usage;
  co_return (co_await engine::fold_run(*process.store, run, spec)).usage;
}

aio::Task<std::optional<store::Holder>> holder_of(Process& process, store::OwnerNumber owner) {
  if (!owner) co_return std::nullopt;
  for (auto& holder : co_await process.store->holders())
    if (holder.owner.number == owner) co_return std::move(holder);
  co_return std::nullopt;
}

std::string decisions_text(const std::vector<store::Run>& paused) {
  const auto& first = paused.front();
  return "a decision: " + first.component_id + ", run " + first.run_id +
         (paused.size() > 1 ? ", and " + std::to_string(paused.size() - 1) + " more" : "");
}

std::string children_under_way(const store::ChildCounts& children) {
  return std::to_string(children.live()) + (children.live() == 1 ? " run" : " runs") + " that it has started";
}

}  // namespace

std::string waits_for(const store::Run& run, const run::AgentState& state, bool orphan, std::int64_t now_ms) {
  const auto since = [&](std::int64_t at_ms) { return " since " + base::iso_utc(at_ms) + " (" + age(at_ms, now_ms) + ")"; };
  if (run::is_terminal(run.status)) return {};
  if (run.status == run::Status::paused) return "waiting for a decision" + since(run.updated_ms);
  if (orphan) return "waiting for an executor" + (run.reason.empty() ? "" : ": " + run.reason) + since(run.updated_ms);
  if (run.cancel_requested) return "being cancelled";
  if (state.model_open) return "a model call is under way";
  for (const auto& call : state.calls)
    if (call.phase == run::CallPhase::started) return "tool " + call.call.name + " is under way";
  return {};
}

aio::Task<std::vector<store::Run>> paused_below(Process& process, store::Run root) {
  auto below = co_await process.store->descendants(root.number, base::limits::kTreeRunsMax);
  std::erase_if(below, [](const store::Run& run) { return run.status != run::Status::paused; });
  co_return below;
}

std::string host_name(const store::Owner& owner) { return owner.host.substr(0, owner.host.find('/')); }

aio::Task<Situation> situation_of(Process& process, store::Run run) {
  co_await files_settled(process, run);
  Situation s{.run = std::move(run),
              .spec = {},
              .state = {},
              .usage = {},
              .holder = {},
              .children = {},
              .paused = {},
              .waits_for = {},
              .directory = {},
              .artifacts = {}};
  if (auto spec = run::decode_spec(s.run.spec)) s.spec = std::move(*spec);
  if (s.spec) s.state = co_await cheap_fold(process, s.run, *s.spec);
  if (s.spec) s.usage = co_await usage_of(process, s.run, *s.spec, s.state);
  // Which process, then whether it lives: one that takes over in between makes the run no orphan.
  s.holder = co_await holder_of(process, s.run.owner);
  if (s.run.status < run::Status::paused && !(s.holder && s.holder->lives)) s.orphan = co_await is_orphan(process, s.run.number);
  const auto children = co_await process.store->count_children(s.run.number, {s.run.run_id});
  if (const auto at = children.find(s.run.run_id); at != children.end()) s.children = at->second;
  s.waits_for = waits_for(s.run, s.state.value_or(run::AgentState{}), s.orphan, process.time.wall_ms());
  const bool has_live = !run::is_terminal(s.run.status) && s.children.live();
  if (has_live && s.spec && s.spec->flow) s.paused = co_await paused_below(process, s.run);
  if (s.waits_for.empty() && !s.paused.empty()) s.waits_for = decisions_text(s.paused);
  if (s.waits_for.empty() && has_live) s.waits_for = children_under_way(s.children);
  if (s.waits_for.empty() && s.run.status == run::Status::pending && !s.run.owner)
    s.waits_for = "its turn: an earlier run of its session is still live";
  s.directory = directory_of(process.settings, s.run);
  s.artifacts = artifacts_of(process.settings, s.run);
  co_return s;
}

std::string executor_text(const Situation& s) {
  if (s.run.status >= run::Status::paused) return {};
  if (s.holder && s.holder->lives) return "process " + std::to_string(s.holder->owner.pid) + " on " + host_name(s.holder->owner);
  if (!s.orphan) return "nobody yet";
  const auto remedy = s.run.cancel_requested      ? "end it: outlast kill " + s.run.run_id
                      : s.run.origin == "command" ? "if nobody takes it over within seconds: outlast resume " + s.run.run_id
                                                  : "start its server again: outlast serve";
  if (!s.holder) return "nobody; " + remedy;
  const auto& owner = s.holder->owner;
  const bool there = owner.host == store::this_process().host && owner.boot_id == store::this_process().boot_id &&
                     store::process_start_time(owner.pid) == owner.pid_start;
  return "nobody: process " + std::to_string(owner.pid) + " on " + host_name(owner) +
         (there ? " is stopped or hangs" : " is gone") + "; " + remedy;
}

}  // namespace cli
