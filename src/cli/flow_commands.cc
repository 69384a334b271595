// The options of `flow` and `fanout`.
#include <algorithm>

#include "cli/flow.h"
#include "cli/option_parser.h"
#include "llm/model_spec.h"

namespace cli {

namespace {

// `--with-synthesis [MODEL]`, `--team-mode [NAME]`: a word behind them may be the prompt as well, so it counts only where it can be
// nothing else. Written with '=' here, for the library.
Words with_values(const Words& words) {
  Words out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (word == "--") {
      out.insert(out.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      break;
    }
    if (word == "--with-synthesis") {
      const bool model = i + 1 < words.size() && words[i + 1].find(' ') == std::string::npos && llm::parse_model_spec(words[i + 1]).has_value();
      // MODEL PROMPT may stand behind it: then the next word is the command's own model.
      const bool own = model && i + 2 < words.size() && !words[i + 2].starts_with('-');
      out.push_back(model && !own ? word + "=" + words[++i] : word + "=-");
    } else if (word == "--team-mode") {
      out.push_back(word + "=-");
    } else {
      out.push_back(word);
    }
  }
  return out;
}

std::optional<std::string> own_or_none(const std::optional<std::string>& value) {
  return value == "-" ? std::optional<std::string>("") : value;
}

void add_common(CLI::App& app, FlowOptions& o) {
  app.add_option("-a,--agent", o.profile, "profile that all agents start from, unless the plan names another")->option_text("NAME");
  app.add_option("--effort", o.effort, "none, minimal, low, medium, high, xhigh or max")->option_text("LEVEL");
  app.add_option("--cwd", o.cwd, "the project: agents may read and write it beside their own directories")->option_text("DIR");
  app.add_option("--save", o.save, "where flow.log, results and a directory for each agent go")->option_text("DIR");
  app.add_option("--timeout", o.timeout_s, "end all of it after this long; what is done stays")->option_text("SECONDS");
  app.add_option("--max-tokens", o.tokens_max, "end it when so many tokens are used; it can be resumed")->option_text("N");
  app.add_option("--max-cost", o.cost_max, "end it when so many US dollars are used; prices are in config.yaml")->option_text("USD");
  app.add_option("--max-concurrent", o.concurrent_max, "how many work at once (default: all that can)")->option_text("N")->check(CLI::NonNegativeNumber);
  app.add_option("--tools", o.tools, "tools of the agents (default: Read,Write,Edit,Glob,Grep,Bash)")->option_text("LIST");
  app.add_option("--output", o.output, "text or json: what is printed when it has ended")->option_text("FORMAT")->check(CLI::IsMember({"text", "json"}));
  app.add_option("--with-synthesis", o.synthesis, "bring the results together at the end (=MODEL: by another model)")->option_text("[MODEL]");
  app.add_option("--team-mode", o.team, "the agents read and write each other's mail (=NAME: of the team)")->option_text("[NAME]");
  app.add_option("--team-attach", o.team_attach, "the agents join a team that is there")->option_text("TEAM");
  app.add_flag("--background", o.background, "leave it running (needs --save)");
  app.add_flag("--bare", o.bare, "profiles are not looked at");
  app.add_flag("--yolo", o.yolo, "nothing that a profile's agents do needs an approval");
  app.add_option("--notify", o.notify, "a command for when it has ended; {payload}, {status} and {invocation_id} are filled in")->option_text("CMD");
  app.add_option("--invocation", o.invocation, "what called it, for run.json, status and --notify")->option_text("ID");
  app.add_option("--project", o.project, "what it belongs to, likewise")->option_text("NAME");
  app.add_flag("-v,--verbose", o.verbose, "what the agents say and do as it comes, instead of progress and results");
  app.add_flag("--json", o.json, "one JSON object: the ids at once with --background, else the results");
}

std::optional<int> read(Parser& p, const Words& words, FlowOptions& o) {
  // Single texts instead of a list: the library splits a list's item that looks like [a,b].
  std::string texts[3];
  CLI::Option* given[3];
  for (int i = 0; i < 3; ++i) given[i] = p.app.add_option("word" + std::to_string(i + 1), texts[i])->group("");
  if (const auto code = p.parse(with_values(words))) return code;
  for (int i = 0; i < 3; ++i)
    if (given[i]->count()) o.words.push_back(texts[i]);
  o.synthesis = own_or_none(o.synthesis);
  o.team = own_or_none(o.team);
  if (o.json) o.output = "json";
  return std::nullopt;
}

}  // namespace

int flow(const Words& words) {
  FlowOptions o;
  o.command = {"outlast", "flow"};
  o.command.insert(o.command.end(), words.begin(), words.end());
  Parser p("flow", "[MODEL] PROMPT [OPTIONS]",
           "Plans a graph of agents for the task and runs it: each operation is a run of its own, done once, whatever crashes. Ctrl-C\n"
           "detaches; a second one cancels. Every agent can be talked to afterwards: outlast agent -r BRANCH.",
           "Examples:\n  outlast flow openai/gpt-5.1 \"Audit the auth module, draft fixes\" --background --save ./audit\n"
           "  outlast flow openai/gpt-5.1 \"...\" --dry-run\n  outlast flow --plan plan.yaml openai/gpt-5.1 \"...\"\n  outlast flow --resume 2026 --retry-failed");
  add_common(p.app, o);
  p.app.add_option("--plan", o.plan_file, "a plan (JSON or YAML) in place of the planner's")->option_text("FILE");
  p.app.add_option("--max-agents,--max-ops", o.ops_max, "operations at most (default: no cap)")->option_text("N")->check(CLI::NonNegativeNumber);
  p.app.add_flag("--dry-run", o.dry_run, "plan, print the plan, run nothing");
  p.app.add_flag("--show-graph", o.show_graph, "write the graph to DIR/flow_dag.png when it ends, at once with --dry-run");
  p.app.add_option("--graph-format", o.graph_format, "png, svg, dot or mermaid")->option_text("FORMAT")->check(CLI::IsMember({"png", "svg", "dot", "mermaid"}));
  p.app.add_option("--resume", o.resume, "go on with a flow that has ended; what was done is not done again")->option_text("RUN");
  p.app.add_flag("--retry-failed", o.retry_failed, "with --resume: failed operations again too, and all that follow them");
  if (const auto code = read(p, words, o)) return *code;
  return run_flow(o);
}

int fanout(const Words& words) {
  FlowOptions o;
  o.fanout = true;
  o.command = {"outlast", "fanout"};
  o.command.insert(o.command.end(), words.begin(), words.end());
  Parser p("fanout", "[MODEL] PROMPT [OPTIONS]",
           "Divides the task into parts and gives each to a worker of its own, all at the same time.",
           "Example:\n  outlast fanout openai/gpt-5.1 \"Compare these five libraries\" -n 5 --with-synthesis --save ./report");
  add_common(p.app, o);
  p.app.add_option("-n,--num-workers", o.workers, "how many (default 3)")->option_text("N")->check(CLI::Range(1, 100));
  p.app.add_option("--workers", o.worker_models, "a model for each worker; wins over -n")->option_text("M1,M2");
  p.app.add_option("--synthesis-prompt", o.synthesis_prompt, "what the synthesis is to do")->option_text("TEXT");
  if (const auto code = read(p, words, o)) return *code;
  return run_flow(o);
}

int orchestrate(const Words& words) {
  const Words rest(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (!words.empty() && words.front() == "flow") return flow(rest);
  if (!words.empty() && words.front() == "fanout") return fanout(rest);
  if (!words.empty() && (words.front() == "--help" || words.front() == "-h")) {
    put("Usage: outlast o flow|fanout ...\n\nThe same as `outlast flow` and `outlast fanout`.\n");
    return kOk;
  }
  return complain(kUsage, "write `outlast o flow ...` or `outlast o fanout ...`");
}

}  // namespace cli
