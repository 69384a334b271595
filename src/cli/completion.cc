#include "cli/completion.h"

#include <string_view>

#include "base/text.h"
#include "cli/output.h"
#include "cli/parser.h"
#include "cli/task_commands.h"

namespace cli {

namespace {

enum class Takes { nothing, ids, files, shells, team_actions, task_actions };

// What can follow a command. tests/e2e/test_cli.py holds it against each command's help.
struct Row {
  std::string_view command, options;
  Takes takes;
};
constexpr Row kRows[] = {
    {"agent",
     "--agent --resume --continue-last --background --json --effort --cwd --timeout --recovery --tools --yolo --system --verbose",
     Takes::nothing},
    {"run", "--agent --resume --continue-last --session --cwd --timeout --recovery --input --background --json --verbose",
     Takes::files},
    {"flow",
     "--agent --effort --cwd --save --timeout --max-tokens --max-cost --max-concurrent --tools --output --with-synthesis --team-mode "
     "--team-attach --background --bare --yolo "
     "--verbose --notify --invocation --project --json --plan --max-agents --dry-run --show-graph --graph-format --resume --retry-failed",
     Takes::nothing},
    {"fanout",
     "--agent --effort --cwd --save --timeout --max-tokens --max-cost --max-concurrent --tools --output --with-synthesis --team-mode "
     "--team-attach --background --bare --yolo "
     "--verbose --notify --invocation --project --json --num-workers --workers --synthesis-prompt",
     Takes::nothing},
    {"play", "--json", Takes::files},
    {"chat", "--agent --resume --continue-last --session --cwd --timeout --recovery --verbose", Takes::files},
    {"ls", "--all --tasks -n --status --session --json", Takes::nothing},
    {"show", "--json", Takes::ids},
    {"status", "--json", Takes::ids},
    {"monitor", "--watch --refresh --since --json", Takes::ids},
    {"logs", "--follow --from --json", Takes::ids},
    {"attach", "--from --verbose --json", Takes::ids},
    {"wait", "--timeout --interval --json", Takes::ids},
    {"cancel", "--json", Takes::ids},
    {"kill", "--reason --grace --dry-run --json", Takes::ids},
    {"task",
     "--slug --alias --project --work-dir --mkdir --priority --due --assignee --tag --harness --json --history --status --since "
     "--include-done --include-archived "
     "--worktree --check --notify --session --max-tokens --max-cost --with --with-file --approval-timeout --fresh --auto --here --force --dangerously-skip-permissions --note --no-close-out "
     "--format --no-color --no-truncate --compact --name --waiting-on --untag --archive --unarchive",
     Takes::task_actions},
    {"team", "--members --team --to --from --from-op --as --json", Takes::team_actions},
    {"approve", "--reject --note --json", Takes::ids},
    {"fork", "--json", Takes::ids},
    {"resume", "--all --json", Takes::ids},
    {"rm", "--force --json", Takes::ids},
    {"check", "--strict --json", Takes::files},
    {"serve", "--port --host --max-concurrent-runs --max-pending-runs --mcp-tools --log-format --log-level", Takes::files},
    {"mcp", "--cwd --session --tools", Takes::files},
    {"service", "--print", Takes::files},
    {"doctor", "--crash-test --json", Takes::nothing},
    {"completion", "", Takes::shells},
};

constexpr std::string_view kRunStatuses = "pending running paused completed error cancelled",
                           kTaskStatuses = "backlog in-progress done";

std::string names() {
  std::string out;
  for (const auto& row : kRows) out += (out.empty() ? "" : " ") + std::string(row.command);
  return out;
}

std::string bash() {
  std::string out =
      "# outlast completion for bash\n"
      "_outlast() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"" +
      names() +
      " help --help --version\" -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case $before in\n"
      "    --cwd) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n"
      "    -r|--resume|--session) COMPREPLY=($(compgen -W \"$(outlast __ids 2>/dev/null)\" -- \"$word\")); return ;;\n"
      "    --effort) COMPREPLY=($(compgen -W \"none minimal low medium high xhigh max\" -- \"$word\")); return ;;\n"
      "    --status) local statuses='" +
      std::string(kRunStatuses) + "'; [ $command = task ] && statuses='" + std::string(kTaskStatuses) +
      "'\n"
      "      COMPREPLY=($(compgen -W \"$statuses\" -- \"$word\")); return ;;\n"
      "    --log-format) COMPREPLY=($(compgen -W \"text json\" -- \"$word\")); return ;;\n"
      "    --log-level) COMPREPLY=($(compgen -W \"debug info warning error\" -- \"$word\")); return ;;\n"
      "  esac\n"
      "  local options= takes=\n"
      "  case $command in\n";
  for (const auto& row : kRows) {
    out += "    " + std::string(row.command) + ") options=\"" + std::string(row.options) + " --help\"";
    if (row.takes == Takes::ids) out += " takes=ids";
    if (row.takes == Takes::files) out += " takes=files";
    if (row.takes == Takes::shells) out += " takes=shells";
    if (row.takes == Takes::team_actions) out += " takes=team_actions";
    if (row.takes == Takes::task_actions) out += " takes=task_actions";
    out += " ;;\n";
  }
  out +=
      "  esac\n"
      "  case $word in\n"
      "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")); return ;;\n"
      "  esac\n"
      "  case $takes in\n"
      "    ids) COMPREPLY=($(compgen -W \"$(outlast __ids 2>/dev/null)\" -- \"$word\")) ;;\n"
      "    files) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
      "    shells) COMPREPLY=($(compgen -W \"bash zsh fish\" -- \"$word\")) ;;\n"
      "    team_actions) [ \"$COMP_CWORD\" -eq 2 ] &&\n"
      "      COMPREPLY=($(compgen -W \"create list show send receive\" -- \"$word\")) ;;\n"
      "    task_actions) [ \"$COMP_CWORD\" -eq 2 ] && COMPREPLY=($(compgen -W \"" +
      task_actions() +
      "\" -- \"$word\")) ;;\n"
      "  esac\n"
      "}\n"
      "complete -F _outlast outlast\n";
  return out;
}

std::string zsh() {
  std::string out =
      "#compdef outlast\n"
      "# outlast completion for zsh\n"
      "_outlast_ids() { local -a ids; ids=(${(f)\"$(outlast __ids 2>/dev/null)\"}); compadd -a ids }\n"
      "_outlast() {\n"
      "  if (( CURRENT == 2 )); then\n"
      "    local -a commands; commands=(\n";
  for (const auto& command : commands())
    if (command.group != Group::hidden) out += "      '" + std::string(command.name) + ":" + std::string(command.summary) + "'\n";
  out +=
      "    )\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  case ${words[CURRENT-1]} in\n"
      "    --cwd) _files -/; return ;;\n"
      "    -r|--resume|--session) _outlast_ids; return ;;\n"
      "    --effort) compadd none minimal low medium high xhigh max; return ;;\n"
      "    --status) if [[ ${words[2]} == task ]]; then compadd " +
      std::string(kTaskStatuses) + "; else compadd " + std::string(kRunStatuses) +
      "; fi; return ;;\n"
      "    --log-format) compadd text json; return ;;\n"
      "    --log-level) compadd debug info warning error; return ;;\n"
      "  esac\n"
      "  case ${words[2]} in\n";
  for (const auto& row : kRows) {
    out += "    " + std::string(row.command) + ")\n      if [[ $PREFIX == -* ]]; then compadd -- " + std::string(row.options) +
           " --help";
    if (row.takes == Takes::ids) out += "; else _outlast_ids";
    if (row.takes == Takes::files) out += "; else _files";
    if (row.takes == Takes::shells) out += "; else compadd bash zsh fish";
    if (row.takes == Takes::team_actions) out += "; elif (( CURRENT == 3 )); then compadd create list show send receive";
    if (row.takes == Takes::task_actions) out += "; elif (( CURRENT == 3 )); then compadd " + task_actions();
    out += "; fi ;;\n";
  }
  out +=
      "  esac\n"
      "}\n"
      "if [ \"$funcstack[1]\" = _outlast ]; then _outlast \"$@\"; else compdef _outlast outlast; fi\n";
  return out;
}

std::string fish() {
  std::string out =
      "# outlast completion for fish\n"
      "complete -c outlast -f\n";
  for (const auto& command : commands())
    if (command.group != Group::hidden)
      out += "complete -c outlast -n __fish_use_subcommand -a " + std::string(command.name) + " -d '" +
             std::string(command.summary) + "'\n";
  for (const auto& row : kRows) {
    const auto when = "complete -c outlast -n '__fish_seen_subcommand_from " + std::string(row.command) + "' ";
    for (const auto option : base::split(row.options, ' ')) {
      if (option.empty()) continue;
      const bool is_long = option.starts_with("--");
      const auto name = std::string(option.substr(is_long ? 2 : 1));
      out += when + (is_long ? "-l " : "-s ") + name;
      if (name == "resume" || name == "session") out += " -x -a '(outlast __ids 2>/dev/null)'";
      if (name == "effort") out += " -x -a 'none minimal low medium high xhigh max'";
      if (name == "status") out += " -x -a '" + std::string(row.command == "task" ? kTaskStatuses : kRunStatuses) + "'";
      if (name == "cwd") out += " -x -a '(__fish_complete_directories)'";
      if (name == "log-format") out += " -x -a 'text json'";
      if (name == "log-level") out += " -x -a 'debug info warning error'";
      out += "\n";
    }
    if (row.takes == Takes::ids) out += when + "-a '(outlast __ids 2>/dev/null)'\n";
    if (row.takes == Takes::files) out += when + "-F\n";
    if (row.takes == Takes::shells) out += when + "-a 'bash zsh fish'\n";
    if (row.takes == Takes::team_actions) out += when + "-a 'create list show send receive'\n";
    if (row.takes == Takes::task_actions) out += when + "-a '" + task_actions() + "'\n";
  }
  return out;
}

}  // namespace

int run_completion(const std::string& shell) {
  if (shell == "bash")
    put(bash());
  else if (shell == "zsh")
    put(zsh());
  else if (shell == "fish")
    put(fish());
  else
    return complain(kUsage, "completion is written for bash, zsh and fish, not for '" + shell + "'");
  return kOk;
}

}  // namespace cli
