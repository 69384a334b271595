#include "cli/tree_end.h"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "cli/run_end.h"
#include "cli/run_situation.h"
#include "cli/store_command.h"
#include "run/flow_notify.h"
#include "store/liveness.h"

namespace cli {

namespace {

constexpr std::int64_t kLookMs = 50;
constexpr std::int64_t kOrphanLookMs = 200;
// A living executor ends what its run has started, in an orderly way; what it has not asked to end by then is asked from here.
constexpr std::int64_t kPatienceMs = 2'000;
constexpr std::size_t kOrphansMax = 10'000;

bool live(const store::Run& run) { return !run::is_terminal(run.status); }

bool is_of(const std::vector<store::Run>& tree, const std::string& run_id) {
  return std::ranges::any_of(tree, [&run_id](const store::Run& run) { return run.run_id == run_id; });
}

}  // namespace

aio::Task<std::vector<store::Run>> tree_of(Process& process, store::Run root) {
  std::vector<store::Run> tree;
  auto now = co_await present(process, root.run_id);
  if (!now) co_return tree;
  tree.push_back(std::move(*now));
  auto below = co_await process.store->descendants(root.number, base::limits::kTreeRunsMax);
  std::ranges::move(below, std::back_inserter(tree));
  co_return tree;
}

// The tree may still grow while it ends: it is looked at anew each time.
aio::Task<TreeEnd::Runs> TreeEnd::look() {
  auto tree = co_await tree_of(process_, root_);
  // What tells somebody of the end is no part of what ends.
  std::erase_if(tree, [](const store::Run& run) { return run.kind == store::kKindTool && run.component_id == run::kNotifyComponent; });
  for (const auto& run : tree)
    if (live(run)) were_live_.try_emplace(run.number, run.run_id);
  co_return tree;
}

// Not awaited: a process that hangs within a commit lets nobody write until it is killed.
void TreeEnd::ask(const Runs& tree) {
  const bool root_live = live(tree.front());
  const bool impatient = !root_live || !held_ || process_.time.steady_ms() - began_ms_ >= kPatienceMs;
  for (const auto& run : tree) {
    if (!live(run) || run.cancel_requested) continue;
    // The root first, so that it does not take the end of a child for a failure. Background tasks outlive the run that started
    // them, so nobody else ends them.
    const bool due = run.number == root_.number || impatient || (run.kind == store::kKindTool && !run.awaited);
    if (due && asking_.insert(run.number).second) tasks_.spawn("cancel", record(run));
  }
}

aio::Task<> TreeEnd::record(store::Run run) {
  if (const auto reason = run.number == root_.number ? std::exchange(reason_, {}) : ""; !reason.empty())
    co_await process_.store->add_fact(run.number, "kill_requested", base::to_text(boost::json::object{{"reason", reason}}));
  co_await process_.store->request_cancel(run.run_id);
  asking_.erase(run.number);
}

void TreeEnd::find_executors(const Runs& tree, const std::vector<store::Holder>& holders) {
  held_ = false;
  std::unordered_set<std::string> ids;
  for (const auto& run : tree) ids.insert(run.run_id);
  const auto ours = [&ids](const std::string& id) { return ids.contains(id); };
  for (const auto& holder : holders) {
    if (std::ranges::none_of(holder.run_ids, ours)) {
      executors_.erase(holder.owner.number);  // it has come to something else
      continue;
    }
    const auto& owner = holder.owner;
    held_ |= holder.lives && std::ranges::find(holder.run_ids, root_.run_id) != holder.run_ids.end();
    // Whoever executes something else too is left alone, also if that came later.
    if (!std::ranges::all_of(holder.run_ids, ours)) {
      executors_.erase(owner.number);
      untouchable_[owner.number] =
          "process " + std::to_string(owner.pid) + " on " + host_name(owner) + " executes other runs too";
      continue;
    }
    if (executors_.contains(owner.number)) continue;
    if (auto found = ExecutorProcess::find(owner))
      executors_.emplace(owner.number, Executor{.process = std::move(*found), .seen_ms = process_.time.steady_ms()});
    else if (holder.lives && owner.pid != store::this_process().pid)
      untouchable_[owner.number] =
          "process " + std::to_string(owner.pid) + " on " + host_name(owner) + " is no executor of this run alone";
  }
}

void TreeEnd::press_executors() {
  const auto now = process_.time.steady_ms();
  std::erase_if(executors_, [](const auto& entry) { return !entry.second.process.lives(); });
  for (auto& [number, executor] : executors_) {
    const auto waited = now - executor.seen_ms;
    const int due = waited >= 2 * grace_ms_ && executor.signalled ? SIGKILL : waited >= grace_ms_ ? SIGTERM : 0;
    if (due == executor.signalled || !executor.process.signal(due)) continue;
    executor.signalled = signalled_[executor.process.pid()] = due;
  }
}

aio::Task<> TreeEnd::take(store::RunNumber run) {
  co_await take_over(process_, run);
  taking_.erase(run);
}

aio::Task<> TreeEnd::take_orphans(const Runs& tree) {
  if (process_.time.steady_ms() < next_orphan_look_ms_) co_return;
  next_orphan_look_ms_ = process_.time.steady_ms() + kOrphanLookMs;
  for (const auto& orphan : co_await process_.store->orphans(kOrphansMax)) {
    // Not before its cancel: what is taken over goes on.
    if (!orphan.cancel_requested || taking_.contains(orphan.number) || !is_of(tree, orphan.run_id)) continue;
    co_await prepare_to_execute(process_);
    taking_.insert(orphan.number);
    tasks_.spawn("take over", take(orphan.number));
  }
}

aio::Task<TreeEnd::Outcome> TreeEnd::run() {
  began_ms_ = process_.time.steady_ms();
  const auto until = began_ms_ + 2 * grace_ms_ + base::limits::kKillEndMs;
  Outcome outcome;
  for (;;) {
    auto tree = co_await look();
    if (tree.empty()) co_return outcome;
    find_executors(tree, co_await process_.store->holders());
    ask(tree);
    press_executors();
    const bool over = std::ranges::none_of(tree, live);
    if ((over && executors_.empty() && taking_.empty()) || process_.time.steady_ms() >= until) {
      for (auto& run : tree) {
        if (live(run))
          outcome.live.push_back(std::move(run));
        else if (were_live_.contains(run.number))
          outcome.ended.push_back(std::move(run));
      }
      break;
    }
    if (!over) co_await take_orphans(tree);
    co_await process_.time.sleep(std::chrono::milliseconds(kLookMs));
  }
  outcome.signalled = signalled_;
  for (const auto& [number, why] : untouchable_) outcome.untouchable.push_back(why);
  co_return outcome;
}

}  // namespace cli
