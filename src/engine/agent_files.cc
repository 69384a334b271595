// The files of an agent's run: its part of run.json, branches/BRANCH.json, stream/BRANCH.buffer.jsonl.
#include "engine/projected_files.h"
#include "engine/projection_lines.h"
#include "engine/projection_snapshot.h"
#include "run/agent.h"

namespace engine {

namespace {

// The flow whose operation it is tells of it in run.json, and syncs its files when it has ended: hundreds of small syncs would hold
// up the log, which is the truth.
bool is_told_by_another(const store::Run& run) { return !run.parent_run_id.empty() && run.group_id != run.run_id; }

constexpr std::int64_t kOperationSnapshotMs = 1'000;  // at most so often, before its end

class AgentFiles final : public ProjectedFiles {
 public:
  AgentFiles(const std::string& runs_directory, store::Run run, run::Spec spec, store::Owner process, std::vector<run::Message> past)
      : run_(std::move(run)),
        spec_(std::move(spec)),
        process_(std::move(process)),
        stream_of_{run_.run_id, run_.session_id},
        directory_(runs_directory, run_.group_id),
        branch_name_(branch_file_name(run_.session_id)),
        stream_(directory_, branch_name_, run_.run_id),
        past_(std::move(past)),
        state_(run::initial_state(spec_, run_.created_ms)) {}

  std::uint64_t next_index() const override { return state_.next_index; }
  bool ended() const override { return run::is_terminal(state_.status) || state_.status == run::Status::paused; }

  void add(std::uint64_t index, const run::Event& event) override {
    run::apply(state_, event);
    if (lines_.empty()) first_ = index;
    lines_.push_back(stream_line(stream_of_, index, event, state_.status));
    step_ended_ |= std::holds_alternative<run::ModelCompleted>(event.payload) || std::holds_alternative<run::ToolCompleted>(event.payload);
  }

  Work begin(std::int64_t now_ms) override {
    if (is_told_by_another(run_)) {
      snapshot_ms_ = now_ms;
      return nullptr;  // its flow has made the directory
    }
    return [this, manifest = manifest_work(run_), branch = branch_work(now_ms)] {
      directory_.make();
      manifest();
      branch();
    };
  }

  Work write(std::int64_t now_ms) override {
    if (lines_.empty()) return nullptr;
    Work branch;
    if (step_ended_ && !ended() && (!is_told_by_another(run_) || now_ms - snapshot_ms_ >= kOperationSnapshotMs)) {
      branch = branch_work(now_ms);
      snapshot_ms_ = now_ms;
      step_ended_ = false;
    }
    return [this, first = first_, lines = std::exchange(lines_, {}), branch = std::move(branch)] {
      stream_.append(first, lines);
      if (branch) branch();
    };
  }

  Work finish(const store::Run& row, std::int64_t now_ms) override {
    return [this, manifest = manifest_work(row), branch = branch_work(now_ms)] {
      if (!is_told_by_another(run_)) stream_.sync();
      branch();
      manifest();
    };
  }

 private:
  Work branch_work(std::int64_t now_ms) const {
    return [this, content = indented(branch_snapshot(run_, spec_, past_, state_, now_ms))] { directory_.replace_branch(branch_name_, content, !is_told_by_another(run_)); };
  }
  Work manifest_work(const store::Run& row) const {
    if (is_told_by_another(row)) return [] {};
    return [this, row] {
      directory_.tell({.run = row, .spec = spec_, .process = process_, .directory = directory_.path(), .command = {}});
    };
  }

  const store::Run run_;
  const run::Spec spec_;
  const store::Owner process_;
  const StreamOf stream_of_;
  const RunDirectory directory_;
  const std::string branch_name_;
  StreamBuffer stream_;
  const std::vector<run::Message> past_;
  run::AgentState state_;
  std::uint64_t first_ = 0;
  std::vector<std::string> lines_;  // from index first_ on, not yet written
  bool step_ended_ = false;          // since the last snapshot
  std::int64_t snapshot_ms_ = 0;
};

}  // namespace

std::unique_ptr<ProjectedFiles> agent_files(const std::string& runs_directory, store::Run run, run::Spec spec, store::Owner process,
                                            std::vector<run::Message> past) {
  return std::make_unique<AgentFiles>(runs_directory, std::move(run), std::move(spec), std::move(process), std::move(past));
}

}  // namespace engine
