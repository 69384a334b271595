#pragma once
// `outlast flow` and `outlast fanout`: plans a graph of agents, runs it in a process of its own, and shows it or leaves it.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/parser.h"

namespace cli {

struct FlowOptions {
  std::vector<std::string> command;  // the whole command line, for the record
  std::vector<std::string> words;    // [MODEL] PROMPT
  bool fanout = false;
  std::optional<std::string> profile, effort, cwd, save, tools, plan_file, resume;
  std::optional<std::string> synthesis, team;  // "" : without a value of their own
  std::optional<std::string> team_attach;
  std::optional<std::string> synthesis_prompt, worker_models;
  std::optional<std::string> notify, invocation, project;
  std::optional<double> timeout_s, cost_max;  // cost_max: US dollars
  std::string output = "text", graph_format = "png";
  std::vector<std::string> expected;  // files that a playbook promises
  std::int64_t concurrent_max = 0, ops_max = 0, tokens_max = 0, workers = 3;
  bool background = false, dry_run = false, show_graph = false, bare = false, yolo = false, verbose = false, json = false, retry_failed = false;
};

int run_flow(const FlowOptions& options);

// The commands `flow` and `fanout`, and `o` (`orchestrate`), which is followed by one of them.
int flow(const Words& words);
int fanout(const Words& words);
int orchestrate(const Words& words);

}  // namespace cli
