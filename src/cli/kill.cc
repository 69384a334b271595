#include "cli/kill.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <exception>
#include <memory>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/named_run.h"
#include "cli/run_end.h"
#include "cli/run_files.h"
#include "cli/run_json.h"
#include "cli/store_command.h"
#include "cli/tree_end.h"
#include "engine/projection_manifest.h"

namespace cli {

namespace json = boost::json;

namespace {

constexpr double kGraceSecondsMax = 3'600;
constexpr std::size_t kNameColumns = 64;

std::string_view word_of(const store::Run& run) { return engine::outcome_of(run.status, run.reason).word; }

json::array runs_json(const std::vector<store::Run>& runs) {
  json::array array;
  for (const auto& run : runs)
    array.push_back(
        {{"run_id", run.run_id}, {"kind", run.kind}, {"agent", text_json(run.component_name)}, {"status", word_of(run)}});
  return array;
}

void tell_json(const store::Run& root, std::string_view outcome, const TreeEnd::Outcome& end) {
  json::array signals;
  for (const auto& [pid, number] : end.signalled)
    signals.push_back({{"pid", pid}, {"signal", number == SIGKILL ? "KILL" : "TERM"}});
  put_line(answer_json({{"run_id", root.run_id},
                        {"outcome", outcome},
                        {"status", word_of(root)},
                        {"reason", text_json(root.reason)},
                        {"ended", runs_json(end.ended)},
                        {"live", runs_json(end.live)},
                        {"signalled", std::move(signals)}}));
}

// "killed RUN_ID" and what it was.
void tell_runs(std::string_view verb, const std::vector<store::Run>& runs) {
  for (const auto& run : runs) {
    const bool by_itself = run::is_terminal(run.status) && run.status != run::Status::cancelled;
    auto line = std::string(by_itself ? "ended by itself" : verb) + " " + run.run_id + "  " + run.kind;
    if (run.component_name != run.kind) line += " " + one_line(run.component_name, kNameColumns);
    if (by_itself) line += "  (" + std::string(word_of(run)) + ")";
    put_line(line);
  }
}

int tell(const store::Run& root, const TreeEnd::Outcome& end, bool as_json) {
  const bool nothing = end.ended.empty() && end.live.empty();
  const auto outcome = !end.live.empty() ? "still_running" : nothing ? "already_ended" : "killed";
  if (as_json) {
    tell_json(root, outcome, end);
  } else {
    tell_runs("killed", end.ended);
    for (const auto& [pid, number] : end.signalled)
      note("process " + std::to_string(pid) + " did not end by itself: " + (number == SIGKILL ? "SIGKILL" : "SIGTERM"));
    if (nothing) put_line(root.run_id + " had ended already: " + std::string(word_of(root)));
  }
  if (end.live.empty()) return kOk;
  if (as_json) return kStillRunning;
  std::string why;
  for (const auto& text : end.untouchable) why += "; " + text + ", so it is not killed";
  for (const auto& run : end.live)
    complain(kStillRunning, "run " + run.run_id + " is still " + std::string(word_of(run)) + "; its cancel is recorded" + why);
  return kStillRunning;
}

aio::Task<int> show_plan(Process& process, store::Run root, bool as_json) {
  TreeEnd::Outcome plan;
  for (auto& run : co_await tree_of(process, root))
    if (!run::is_terminal(run.status)) plan.live.push_back(std::move(run));
  if (as_json)
    tell_json(root, plan.live.empty() ? "already_ended" : "would_kill", plan);
  else if (plan.live.empty())
    put_line(root.run_id + " had ended already: " + std::string(word_of(root)));
  else
    tell_runs("would kill", plan.live);
  co_return kOk;
}

// The runs under way, and what still goes on for them when the answer has been given.
struct Killing {
  std::vector<std::unique_ptr<TreeEnd>> trees;
  aio::TaskGroup tasks;
};

aio::Task<int> kill_one(Process& process, const KillOptions& options, std::string id, Killing& killing) {
  auto root = co_await named_run(process, std::move(id));
  if (!root) {
    if (!options.json) co_return complain(root.error());
    put_line(error_json(error_kind(root.error().code), root.error().message));
    co_return exit_code_of(root.error().code);
  }
  if (options.dry_run) co_return co_await show_plan(process, std::move(*root), options.json);
  TreeEnd::Request request{.root = *root, .reason = options.reason, .grace_ms = std::llround(options.grace_s * 1000)};
  auto& tree = *killing.trees.emplace_back(std::make_unique<TreeEnd>(process, std::move(request), killing.tasks));
  const auto end = co_await tree.run();
  for (const auto& run : end.ended) co_await files_settled(process, run);
  const auto now = co_await present(process, root->run_id);
  co_return tell(now ? *now : *root, end, options.json);
}

aio::Task<int> kill(Process& process, const KillOptions& options) {
  Killing killing{.trees = {},
                  .tasks = {process.io, [](const std::string& name, const std::string& what) { warn(name + ": " + what); }}};
  int code = kOk;
  std::exception_ptr broken;  // what goes on is to end first
  try {
    for (const auto& id : options.ids) {
      const auto one = co_await kill_one(process, options, id, killing);
      if (one != kOk && code != kUsage) code = one;
    }
  } catch (...) {
    broken = std::current_exception();
  }
  co_await stop_executing(process);
  co_await killing.tasks.join();
  if (broken) std::rethrow_exception(broken);
  co_return code;
}

}  // namespace

int run_kill(const KillOptions& options) {
  if (!(options.grace_s >= 0) || options.grace_s > kGraceSecondsMax)
    return complain(kUsage, "--grace: write a number of seconds, 0 to 3600");
  if (options.reason.size() > base::limits::kKillReasonBytesMax)
    return complain(kUsage, "--reason is longer than " + std::to_string(base::limits::kKillReasonBytesMax) + " bytes");
  return with_store([&options](Process& process) { return kill(process, options); }, report_for(options.json));
}

}  // namespace cli
