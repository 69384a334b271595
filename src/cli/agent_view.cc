#include "cli/output.h"
#include "cli/run_json.h"
#include "cli/run_view.h"
#include "cli/transcript.h"
#include "engine/projection_manifest.h"

namespace cli {

namespace {

class AgentView final : public RunView {
 public:
  AgentView(const store::Run& run, const run::Spec& spec, const FollowOptions& options)
      : options_(options),
        transcript_({.text_live = !options.json && out_is_terminal(),
                     .asides = !options.json && (options.verbose || err_is_terminal()),
                     .from = options.from}),
        state_(run::initial_state(spec, run.created_ms)) {
    if (!options.json && out_is_terminal()) transcript_.aside("");
  }

  void add(std::uint64_t index, const run::Event& event) override {
    run::apply(state_, event);
    transcript_.add(index, event);
    if (const auto* error = std::get_if<run::RunError>(&event.payload)) error_ = error->message;
  }
  std::uint64_t next_index() const override { return state_.next_index; }
  run::Status status() const override { return state_.status; }
  void aside(std::string_view line) override { transcript_.aside(line); }
  void finish(bool has_result) override { transcript_.finish(state_, has_result ? Transcript::End::run : Transcript::End::left); }
  boost::json::object result(const store::Run& run) const override { return result_json(run, state_); }

  void conclude(const store::Run& run) override {
    if (!error_.empty()) complain(kFailed, error_);
    if (engine::outcome_of(run.status, run.reason).word == "completed_empty") complain(kFailed, "the run ended without any text or tool call");
    if (options_.json || !options_.hints) return;
    if (run.status == run::Status::paused) note("paused: it waits for a decision: outlast approve " + run.run_id);
    note("");
    note("[to resume] " + options_.resume_with + " -r " + run.session_id + " \"...\"");
  }

 private:
  const FollowOptions options_;
  Transcript transcript_;
  run::AgentState state_;
  std::string error_;
};

}  // namespace

std::unique_ptr<RunView> agent_view(const store::Run& run, const run::Spec& spec, const FollowOptions& options) {
  return std::make_unique<AgentView>(run, spec, options);
}

}  // namespace cli
