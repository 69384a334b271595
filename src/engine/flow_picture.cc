#include "engine/flow_picture.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "run/flow_graph.h"

namespace engine {

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

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) throw base::Broken("cannot write " + path);
}

// Graphviz turns the text into a picture; the text comes by a file of its own, so nothing of it is read as an option.
bool run_dot(const std::string& format, const std::string& text_path, const std::string& picture_path) {
  std::string program = "dot", kind = "-T" + format, out = "-o", picture = picture_path, text = text_path;
  char* const argv[] = {program.data(), kind.data(), out.data(), picture.data(), text.data(), nullptr};
  pid_t pid = 0;
  if (posix_spawnp(&pid, "dot", nullptr, nullptr, argv, environ) != 0) return false;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0)
    // Where nobody is asked for ended children it is gone by then: the picture itself tells.
    if (errno != EINTR) return std::filesystem::exists(picture_path);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

void draw_flow(const run::FlowState& state, const std::string& directory, const std::string& format) {
  const auto base = directory + "/flow_dag";
  const auto views = views_of(state);
  std::error_code ec;
  std::filesystem::create_directories(directory, ec);
  if (format == "mermaid") return write(base + ".mmd", run::mermaid_text(state.plan, views));
  write(base + ".dot", run::dot_text(state.plan, views));
  if (format == "dot") return;
  const auto picture = base + "." + format;
  std::filesystem::remove(picture, ec);
  if (!run_dot(format, base + ".dot", picture)) throw base::Broken("no picture of the flow: install Graphviz (`dot`), or see " + base + ".dot");
}

}  // namespace engine
