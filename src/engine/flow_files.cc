// The files of a flow: run.json with its agents and operations, and in the directory that the user named flow.log and the results.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "base/failpoint.h"
#include "base/log.h"
#include "engine/flow_picture.h"
#include "engine/projected_files.h"
#include "llm/model_spec.h"
#include "run/flow_log.h"
#include "run/flow_mail.h"
#include "run/flow_prompts.h"

namespace engine {

namespace json = boost::json;

namespace {

constexpr std::int64_t kManifestMs = 200;  // run.json tells of operations at most so often; of the flow's own turns at once

// A text that only grows, in a file that may hold a part of it already: what a crash cut off is continued, never written twice.
class GrowingFile {
 public:
  explicit GrowingFile(std::string path) : path_(std::move(path)) {}
  ~GrowingFile() {
    if (fd_ >= 0) close(fd_);
  }
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  // Until it holds all of `text`. A file that is gone with its directory is nobody's any more.
  void write(const std::string& text) {
    if (gone_ || !open(text)) return;
    while (written_ < text.size()) {
      const auto n = pwrite(fd_, text.data() + written_, text.size() - written_, static_cast<off_t>(written_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw base::Broken("cannot write " + path_ + ": " + std::strerror(errno));
      written_ += static_cast<std::size_t>(n);
      base::failpoint("flow_log.after_write");
    }
  }
  void sync() {
    if (fd_ >= 0) fdatasync(fd_);
  }

 private:
  bool open(const std::string& text) {
    if (fd_ >= 0) return true;
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) {
      gone_ = errno == ENOENT;
      if (gone_) return false;
      throw base::Broken("cannot open " + path_ + ": " + std::strerror(errno));
    }
    // What another process has written before this one is a beginning of the same text.
    std::string there(text.size(), '\0');
    const auto n = pread(fd_, there.data(), there.size(), 0);
    there.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    written_ = static_cast<std::size_t>(std::ranges::mismatch(there, text).in1 - there.begin());
    return true;
  }

  const std::string path_;
  int fd_ = -1;
  std::size_t written_ = 0;
  bool gone_ = false;
};

void replace_text(const std::string& path, const std::string& text) {
  const auto passing = path + ".new";
  const int fd = ::open(passing.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 && errno == ENOENT) return;  // its directory was removed: nobody wants it
  if (fd < 0) throw base::Broken("cannot open " + passing + ": " + std::strerror(errno));
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto n = ::write(fd, rest.data(), rest.size());
    if (n < 0 && errno != EINTR) break;
    if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
  }
  const bool done = rest.empty() && fsync(fd) == 0;
  close(fd);
  if (!done || rename(passing.c_str(), path.c_str()) != 0) throw base::Broken("cannot write " + path + ": " + std::strerror(errno));
}

class FlowFiles final : public ProjectedFiles {
 public:
  FlowFiles(const std::string& runs_directory, store::Run run, run::Spec spec, store::Owner process)
      : run_(std::move(run)),
        spec_(std::move(spec)),
        process_(std::move(process)),
        directory_(runs_directory, run_.group_id),
        log_(spec_.flow->directory + "/flow.log"),
        state_(run::initial_flow(spec_, run_.created_ms)) {}

  std::uint64_t next_index() const override { return state_.next_index; }
  bool ended() const override { return run::is_terminal(state_.status); }

  void add(std::uint64_t, const run::Event& event) override {
    run::apply(state_, event);
    run::append_flow_lines(text_, state_, spec_, event);
    if (const auto* planned = std::get_if<run::FlowPlanned>(&event.payload); planned && !spec_.flow->dry_run)
      for (const auto& agent : planned->plan.agents) directories_.push_back(run::agent_directory(spec_, agent.id));
    if (const auto* op = std::get_if<run::OpEnded>(&event.payload); op && op->outcome == run::OpOutcome::done && !op->retry_at_ms) note_result(*op);
    changed_ = true;
  }

  Work begin(std::int64_t now_ms) override {
    told_ms_ = now_ms;
    return [this, manifest = manifest_work(run_)] {
      directory_.make();
      manifest();
    };
  }

  Work write(std::int64_t now_ms) override {
    if (!std::exchange(changed_, false)) return nullptr;
    Work manifest;
    if (now_ms - told_ms_ >= kManifestMs && !ended()) manifest = manifest_work(run_), told_ms_ = now_ms;
    return [this, text = text_, results = std::exchange(results_, {}), directories = std::exchange(directories_, {}), manifest = std::move(manifest)] {
      for (const auto& path : directories) mkdir(path.c_str(), 0777);  // so that people find all of them, also those not begun
      write_results(results);
      if (spec_.flow->saved) log_.write(text);
      if (manifest) manifest();
    };
  }

  Work finish(const store::Run& row, std::int64_t) override {
    auto text = text_;
    if (ended() && !spec_.flow->dry_run && !state_.rounds.empty()) {
      const auto results = run::flow_results(state_, spec_, run_.session_id);
      text += "\n" + results.blocks + results.hints;
    }
    const auto picture = ended() && !spec_.flow->graph.empty() && !state_.rounds.empty() ? std::make_shared<const run::FlowState>(state_) : nullptr;
    return [this, text, results = std::exchange(results_, {}), manifest = manifest_work(row), picture] {
      write_results(results);
      if (spec_.flow->saved) log_.write(text), log_.sync();
      manifest();
      directory_.sync_parts();
      if (picture) draw(*picture);
    };
  }

 private:
  struct Result {
    std::string path, text;
  };

  // A flow that has been run is not wrong because it cannot be drawn.
  void draw(const run::FlowState& state) const {
    try {
      draw_flow(state, spec_.flow->directory, spec_.flow->graph);
    } catch (const base::Broken& error) {
      base::log::warning(error.what(), {{"run", run_.run_id}});
    }
  }

  // What the user finds as a file: the synthesis, and each answer of a fan-out.
  void note_result(const run::OpEnded& op) {
    if (op.op == run::kSynthesisOp) return results_.push_back({spec_.flow->directory + "/synthesis.md", op.content + "\n"});
    if (!spec_.flow->fanout || run::is_mail_op(op.op)) return;
    const auto at = std::ranges::find(state_.plan.operations, op.op, &run::FlowOp::id);
    if (at != state_.plan.operations.end())
      results_.push_back({spec_.flow->directory + "/worker_" + std::to_string(at - state_.plan.operations.begin() + 1) + ".md", op.content + "\n"});
  }
  static void write_results(const std::vector<Result>& results) {
    for (const auto& result : results) replace_text(result.path, result.text);
  }

  std::string model_of(const run::FlowOp& op) const {
    const auto named = run::model_of(state_, spec_, op);
    return named.empty() ? model_spec_of(spec_) : named;
  }

  json::array branches() const {
    json::array list;
    const auto add = [&](const std::string& id, const std::string& name, const std::string& model, const std::string& run_id) {
      const auto parsed = llm::parse_model_spec(model);
      const auto provider = parsed ? parsed->provider : spec_.provider;
      list.push_back(json::object{{"id", id},
                                  {"provider", provider},
                                  {"endpoint", spec_.backend.empty() || provider != spec_.provider ? provider : spec_.backend},
                                  {"name", name},
                                  {"model", parsed ? parsed->model : spec_.model},
                                  {"run_id", run_id}});
    };
    add(run_.session_id, "orchestrator", model_spec_of(spec_), run_.run_id);
    std::map<std::string_view, const run::FlowOp*> last;  // the operation that each agent began last
    for (const auto& op : state_.plan.operations)
      if (const auto* known = run::find_op(state_, op.id); known && !known->run_id.empty()) last[op.agent_id] = &op;
    for (const auto& agent : state_.plan.agents)
      if (const auto at = last.find(agent.id); at != last.end())
        add(agent.branch, agent.name, model_of(*at->second), run::find_op(state_, at->second->id)->run_id);
    return list;
  }

  json::object told() const {
    json::array agents, operations;
    for (const auto& agent : state_.plan.agents)
      agents.push_back(json::object{{"id", agent.id},
                                    {"name", agent.name},
                                    {"role", agent.role},
                                    {"model", agent.model.empty() ? model_spec_of(spec_) : agent.model},
                                    {"branch_id", agent.branch},
                                    {"artifact_dir", run::agent_directory(spec_, agent.id)}});
    for (const auto& op : state_.plan.operations) {
      json::array depends_on;
      for (const auto& edge : op.depends_on) depends_on.emplace_back(edge.op);
      const auto* known = run::find_op(state_, op.id);
      json::object one{{"id", op.id}, {"agent_id", op.agent_id}, {"control", op.control}, {"depends_on", std::move(depends_on)}, {"status", run::name(known ? known->phase : run::OpPhase::waiting)}};
      if (known) {
        one["run_id"] = known->run_id;
        one["attempts"] = known->attempts;
        if (known->ended()) one["time_ms"] = known->ended_ms - known->started_ms;
        if (!known->error.empty()) one["error"] = known->error;
      }
      operations.push_back(std::move(one));
    }
    json::object usage{{"input", state_.usage.input_tokens}, {"output", state_.usage.output_tokens}};
    if (state_.usage.cost_micros) usage["cost_usd"] = static_cast<double>(state_.usage.cost_micros) / 1e6;
    json::object flow{{"artifact_root", spec_.flow->directory},
                      {"orchestrator_branch_id", run_.session_id},
                      {"usage", std::move(usage)},
                      {"branches", branches()}};
    flow[spec_.flow->fanout ? "workers" : "agents"] = std::move(agents);
    flow["operations"] = std::move(operations);
    if (!spec_.flow->resumed_run.empty()) flow["resumes"] = spec_.flow->resumed_run;
    if (!spec_.flow->invocation.empty()) flow["invocation_id"] = spec_.flow->invocation;
    if (!spec_.flow->project.empty()) flow["project"] = spec_.flow->project;
    return flow;
  }

  Work manifest_work(const store::Run& row) const {
    return [this, row, flow = told()] {
      directory_.tell({.run = row, .spec = spec_, .process = process_, .directory = directory_.path(), .command = {}, .flow = flow});
    };
  }

  const store::Run run_;
  const run::Spec spec_;
  const store::Owner process_;
  const RunDirectory directory_;
  GrowingFile log_;
  run::FlowState state_;
  std::string text_;  // of flow.log, whole
  std::vector<Result> results_;
  std::vector<std::string> directories_;  // of agents, to be made
  std::int64_t told_ms_ = 0;
  bool changed_ = false;
};

}  // namespace

std::unique_ptr<ProjectedFiles> flow_files(const std::string& runs_directory, store::Run run, run::Spec spec, store::Owner process) {
  return std::make_unique<FlowFiles>(runs_directory, std::move(run), std::move(spec), std::move(process));
}

}  // namespace engine
