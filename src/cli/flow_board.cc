#include "cli/flow_board.h"

#include <algorithm>
#include <iterator>

#include "cli/output.h"

namespace cli {

namespace {

constexpr std::size_t kRunningMax = 8, kNextMax = 3, kPausedMax = 3;

std::string waits_for(const run::FlowState& state, const run::FlowOp& op) {
  std::string text;
  for (const auto& edge : op.depends_on) {
    const auto* other = run::find_op(state, edge.op);
    if (!other || !other->ended()) text += (text.empty() ? " ← " : ",") + edge.op;
  }
  return text;
}

std::string count_text(std::size_t number, const char* what) { return std::to_string(number) + " " + what; }

// The command stands first: a long name must not cut it off.
std::vector<std::string> decisions(const std::vector<PausedRun>& paused) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < std::min(paused.size(), kPausedMax); ++i)
    lines.push_back("  ? outlast approve " + paused[i].run_id + "  " + paused[i].agent);
  if (paused.size() > kPausedMax) lines.push_back("  … and " + std::to_string(paused.size() - kPausedMax) + " more to decide");
  return lines;
}

}  // namespace

std::vector<std::string> flow_board(const run::FlowState& state, const std::vector<PausedRun>& paused, std::int64_t now_ms) {
  std::vector<std::string> running, next;
  std::size_t done = 0, failed = 0, at_work = 0, waiting = 0;
  for (const auto& op : state.plan.operations) {
    const auto* known = run::find_op(state, op.id);
    if (known && known->phase == run::OpPhase::running) {
      if (++at_work <= kRunningMax)
        running.push_back("  ● " + op.id + "  " + op.agent_id + "  " + duration(now_ms - known->started_ms) +
                          (known->attempts > 1 ? "  attempt " + std::to_string(known->attempts) : "") +
                          (std::ranges::find(paused, known->run_id, &PausedRun::run_id) != paused.end() ? "  waits for a decision" : ""));
    } else if (known && known->ended()) {
      ++(known->phase == run::OpPhase::done ? done : failed);
    } else if (++waiting <= kNextMax) {
      const bool again = known && known->retry_at_ms > now_ms;
      next.push_back("  ○ " + op.id + "  " + op.agent_id + (again ? "  again in " + duration(known->retry_at_ms - now_ms) : waits_for(state, op)));
    }
  }
  auto lines = std::move(running);
  if (at_work > kRunningMax) lines.push_back("  … and " + std::to_string(at_work - kRunningMax) + " more at work");
  std::ranges::move(decisions(paused), std::back_inserter(lines));
  lines.insert(lines.end(), next.begin(), next.end());
  lines.push_back("  " + std::to_string(done) + "/" + std::to_string(state.plan.operations.size()) + " done" + (failed ? ", " + count_text(failed, "not") : "") +
                  " · " + count_text(waiting, "wait") + " · " + std::to_string(state.usage.total()) + " tokens · " + duration(now_ms - state.started_ms));
  return lines;
}

}  // namespace cli
