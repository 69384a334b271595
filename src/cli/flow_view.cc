#include <cstdio>
#include <utility>

#include "cli/flow_board.h"
#include "cli/output.h"
#include "cli/run_json.h"
#include "cli/run_view.h"
#include "engine/projection_manifest.h"
#include "run/flow_log.h"
#include "run/flow_prompts.h"

namespace cli {

namespace json = boost::json;

namespace {

class FlowView final : public RunView {
 public:
  FlowView(const store::Run& run, run::Spec spec, const FollowOptions& options)
      : options_(options), branch_(run.session_id), spec_(std::move(spec)), state_(run::initial_flow(spec_, run.created_ms)) {}

  void add(std::uint64_t index, const run::Event& event) override {
    run::apply(state_, event);
    if (options_.json || index < options_.from) return;
    if (options_.verbose) return note_begun(event);
    std::string lines;
    run::append_flow_lines(lines, state_, spec_, event);
    for (std::string_view rest = lines; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) aside(rest.substr(0, rest.find('\n')));
  }
  std::uint64_t next_index() const override { return state_.next_index; }
  run::Status status() const override { return state_.status; }
  void aside(std::string_view line) override {
    erase_board();
    note(harmless(line));
  }
  std::vector<BegunRun> begun() override { return std::exchange(begun_, {}); }
  // On a terminal the present state stands below the lines that stay.
  void tick(std::int64_t now_ms) override {
    if (options_.verbose || state_.rounds.empty() || run::is_terminal(state_.status)) return;
    erase_board();
    const auto lines = flow_board(state_, paused_, now_ms);
    for (const auto& line : lines) std::fputs(("  " + dim(one_line(line, kBoardColumns)) + "\n").c_str(), stderr);
    board_lines_ = lines.size();
  }

  std::unordered_set<std::string> at_work() const override {
    std::unordered_set<std::string> runs;
    for (const auto& [id, op] : state_.ops)
      if (op.phase == run::OpPhase::running) runs.insert(op.run_id);
    return runs;
  }
  void wait_for_decisions(const std::vector<store::Run>& paused) override {
    paused_.clear();
    for (const auto& run : paused) paused_.push_back({run.run_id, run.component_id});
  }

  void finish(bool has_result) override {
    erase_board();
    if (!has_result) return;
    if (spec_.flow->dry_run && !state_.rounds.empty()) return put(harmless(run::dry_run_text(state_.plan, models())));
    if (!options_.verbose) put(harmless(run::flow_results(state_, spec_, branch_).blocks));
  }

  json::object result(const store::Run& run) const override {
    json::object out{{"run_id", run.run_id}, {"branch_id", run.session_id}, {"status", engine::outcome_of(run.status, run.reason).word}, {"reason", text_json(run.reason)}};
    if (spec_.flow->dry_run) out["plan"] = run::to_json(state_.plan);
    json::array workers;
    for (const auto& op : state_.plan.operations) workers.push_back(worker(op));
    out["workers"] = std::move(workers);
    if (const auto* synthesis = run::find_op(state_, run::kSynthesisOp); synthesis && synthesis->ended())
      out["synthesis"] = {{"model", model_text(run::kSynthesisOp)}, {"response", synthesis->content}, {"time_ms", synthesis->ended_ms - synthesis->started_ms}};
    if (!state_.error.empty()) out["error"] = state_.error;
    out["usage"] = usage_json(state_.usage);
    return out;
  }

  void conclude(const store::Run&) override {
    if (options_.verbose && !options_.json && !state_.error.empty()) complain(kFailed, state_.error);  // no line has said it
    if (options_.json || !options_.hints || spec_.flow->dry_run || state_.rounds.empty()) return;
    std::string hints = run::flow_results(state_, spec_, branch_).hints;
    for (std::string_view rest = hints; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) aside(rest.substr(0, rest.find('\n')));
  }

 private:
  static constexpr std::size_t kBoardColumns = 78;

  void note_begun(const run::Event& event) {
    const auto* started = std::get_if<run::OpStarted>(&event.payload);
    if (!started) return;
    const auto* op = run::planned_op(state_, started->op);
    begun_.push_back({started->run_id, op ? "[" + op->id + " " + op->agent_id + "] " : "[orchestrator] "});
  }

  void erase_board() {
    if (const auto lines = std::exchange(board_lines_, 0)) std::fprintf(stderr, "\x1b[%zuA\x1b[J", lines);
  }

  std::string model_text(std::string_view op) const {
    const auto named = run::flow_model(state_, spec_, op);
    return named.empty() ? engine::model_spec_of(spec_) : named;
  }

  json::object worker(const run::FlowOp& op) const {
    json::array depends_on;
    for (const auto& edge : op.depends_on) depends_on.emplace_back(edge.op);
    const auto* agent = run::find_agent(state_.plan, op.agent_id);
    const auto* known = run::find_op(state_, op.id);
    json::object one{{"id", op.id},
                     {"agent_id", op.agent_id},
                     {"name", agent ? agent->name : op.agent_id},
                     {"branch_id", agent ? agent->branch : ""},
                     {"model", model_text(op.id)},
                     {"depends_on", std::move(depends_on)},
                     {"control", op.control}};
    if (spec_.flow->fanout) one["worker"] = agent ? agent->name : op.agent_id;
    one["response"] = known && known->phase == run::OpPhase::done ? json::value(known->content) : json::value();
    one["time_ms"] = known && known->ended() ? json::value(known->ended_ms - known->started_ms) : json::value();
    if (known && !known->error.empty()) one["error"] = known->error;
    return one;
  }

  // Where each agent's model comes from.
  std::vector<std::string> models() const {
    std::vector<std::string> out;
    for (const auto& agent : state_.plan.agents) {
      const auto* role = run::role_of(spec_, agent);
      if (!agent.model.empty())
        out.push_back(agent.model + " (plan)");
      else if (role && !role->model.empty())
        out.push_back(role->model + " (profile)");
      else
        out.push_back(engine::model_spec_of(spec_) + (spec_.flow->bare ? " (bare)" : " (default)"));
    }
    return out;
  }

  const FollowOptions options_;
  const std::string branch_;
  const run::Spec spec_;
  run::FlowState state_;
  std::vector<PausedRun> paused_;
  std::vector<BegunRun> begun_;
  std::size_t board_lines_ = 0;  // that stand on the terminal now
};

}  // namespace

std::unique_ptr<RunView> flow_view(const store::Run& run, run::Spec spec, const FollowOptions& options) {
  return std::make_unique<FlowView>(run, std::move(spec), options);
}

}  // namespace cli
