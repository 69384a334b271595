#include "cli/flow_graph_file.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "cli/output.h"
#include "engine/flow_execution.h"
#include "run/flow_graph.h"

namespace cli {

namespace {

std::map<std::string, run::OpView> views_of(const run::FlowState& state) {
  std::map<std::string, run::OpView> views;
  for (const auto& op : state.plan.operations) {
    const auto* known = run::find_op(state, op.id);
    if (!known) continue;
    auto& view = views[op.id];
    switch (known->phase) {
      case run::OpPhase::waiting: view.state = run::OpState::waiting; break;
      case run::OpPhase::running: view.state = run::OpState::running; break;
      case run::OpPhase::done: view.state = run::OpState::done; break;
      case run::OpPhase::failed:
      case run::OpPhase::cut: view.state = run::OpState::failed; break;
      case run::OpPhase::skipped: view.state = run::OpState::skipped; break;
    }
    if (known->ended()) view.duration_ms = known->ended_ms - known->started_ms;
  }
  return views;
}

// Graphviz turns the text into a picture; the text comes by a file of its own, so nothing of it is read as an option.
bool draw(const std::string& format, const std::string& text_path, const std::string& picture_path) {
  std::signal(SIGCHLD, SIG_DFL);
  const auto child = fork();
  if (child == 0) {
    const auto kind = "-T" + format;
    execlp("dot", "dot", kind.c_str(), "-o", picture_path.c_str(), text_path.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

aio::Task<> write_graph(Process& process, store::Run run, std::string format) {
  const auto spec = run::decode_spec(run.spec);
  if (!spec || !spec->flow) co_return;
  const auto now = co_await process.store->find_run(run.run_id);
  if (!now) co_return;
  const auto state = co_await engine::fold_flow(*process.store, *now, *spec);
  if (state.rounds.empty()) co_return;
  const auto base = spec->flow->directory + "/flow_dag";
  const auto views = views_of(state);
  const auto write = [](const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    return static_cast<bool>(file.flush());
  };
  if (format == "mermaid") {
    if (!write(base + ".mmd", run::mermaid_text(state.plan, views))) warn("cannot write " + base + ".mmd");
    co_return note("Graph: " + base + ".mmd");
  }
  if (!write(base + ".dot", run::dot_text(state.plan, views))) co_return warn("cannot write " + base + ".dot");
  if (format == "dot") co_return note("Graph: " + base + ".dot");
  const auto picture = base + "." + format;
  if (!draw(format, base + ".dot", picture)) co_return warn("no picture: install Graphviz (`dot`), or see " + base + ".dot");
  note("Graph: " + picture);
}

}  // namespace cli
