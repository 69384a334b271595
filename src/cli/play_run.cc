#include "cli/play_run.h"

#include <algorithm>
#include <map>

#include "cli/agent.h"
#include "cli/flow.h"
#include "cli/option_parser.h"

namespace cli {

namespace {

using app::Playbook;
using app::PlaybookArg;

// What a person says beside the playbook's own arguments; it wins over the playbook.
struct Said {
  std::vector<std::string> input;
  std::map<std::string, std::string> args;
  std::optional<std::string> model, agent, effort, cwd, save, notify, invocation, project;
  std::optional<double> timeout_s, cost_max;
  std::int64_t max_ops = 0, concurrent_max = 0, tokens_max = 0;
  std::string output = "text";
  bool background = false, dry_run = false, show_graph = false, bare = false, yolo = false, verbose = false, json = false;
};

std::string flag_of(const PlaybookArg& arg) {
  auto flag = base::to_lower(arg.name);
  std::ranges::replace(flag, '_', '-');
  return "--" + flag;
}

void add_args(CLI::App& app, const Playbook& playbook, Said& said) {
  for (const auto& arg : playbook.args) {
    auto help = arg.help + (arg.required ? " (required)" : arg.default_value ? " (default: " + *arg.default_value + ")" : "");
    if (arg.type == PlaybookArg::Type::boolean)
      app.add_flag_callback(flag_of(arg), [&said, name = arg.name] { said.args[name] = "true"; }, help)->group("Arguments of the playbook");
    else
      app.add_option_function<std::string>(flag_of(arg), [&said, name = arg.name](const std::string& value) { said.args[name] = value; }, help)
          ->option_text(std::string(app::name(arg.type)))
          ->group("Arguments of the playbook");
  }
}

std::optional<int> read(const Playbook& playbook, const std::vector<std::string>& words, Said& said) {
  Parser p("play " + playbook.name, (playbook.argument_hint.empty() ? "[INPUT]" : playbook.argument_hint) + " [OPTIONS]",
           playbook.description.empty() ? "Plays " + playbook.file + "." : playbook.description);
  add_args(p.app, playbook, said);
  std::string texts[2];
  CLI::Option* given[2];
  for (int i = 0; i < 2; ++i) given[i] = p.app.add_option("word" + std::to_string(i + 1), texts[i])->group("");
  p.app.add_option("--model", said.model, "instead of the playbook's")->option_text("MODEL");
  p.app.add_option("-a,--agent", said.agent, "profile, instead of the playbook's")->option_text("NAME");
  p.app.add_option("--effort", said.effort, "none, minimal, low, medium, high, xhigh or max")->option_text("LEVEL");
  p.app.add_option("--cwd", said.cwd, "the project")->option_text("DIR");
  p.app.add_option("--save", said.save, "where flow.log and the results go")->option_text("DIR");
  p.app.add_option("--timeout", said.timeout_s, "end all of it after this long")->option_text("SECONDS");
  p.app.add_option("--max-agents,--max-ops", said.max_ops, "operations at most")->option_text("N");
  p.app.add_option("--max-tokens", said.tokens_max, "end a flow or fanout when so many tokens are used; it can be resumed")->option_text("N");
  p.app.add_option("--max-cost", said.cost_max, "likewise when so many US dollars are used; prices are in config.yaml")->option_text("USD");
  p.app.add_option("--max-concurrent", said.concurrent_max, "how many work at once")->option_text("N");
  p.app.add_option("--output", said.output, "text or json")->option_text("FORMAT")->check(CLI::IsMember({"text", "json"}));
  p.app.add_flag("--background", said.background, "leave it running (needs a directory to save in)");
  p.app.add_flag("--dry-run", said.dry_run, "plan, print the plan, run nothing");
  p.app.add_flag("--show-graph", said.show_graph, "write the graph to DIR/flow_dag.png");
  p.app.add_flag("--bare", said.bare, "profiles are not looked at");
  p.app.add_flag("--yolo", said.yolo, "nothing needs an approval");
  p.app.add_option("--notify", said.notify, "a command for when a flow or fanout has ended")->option_text("CMD");
  // Playbooks may have arguments of these names: those count then.
  const auto taken = [&playbook](std::string_view flag) { return std::ranges::any_of(playbook.args, [&](const PlaybookArg& arg) { return flag_of(arg) == flag; }); };
  if (!taken("--invocation")) p.app.add_option("--invocation", said.invocation, "what called it")->option_text("ID");
  if (!taken("--project")) p.app.add_option("--project", said.project, "what it belongs to")->option_text("NAME");
  p.app.add_flag("-v,--verbose", said.verbose, "what the agents say and do as it comes, instead of progress and results");
  p.app.add_flag("--json", said.json, "one JSON object");
  if (const auto code = p.parse(words)) return code;
  for (int i = 0; i < 2; ++i)
    if (given[i]->count()) said.input.push_back(texts[i]);
  if (said.input.size() > 1) return complain(kUsage, "too many words from '" + said.input[1] + "' on: write the input in quotes");
  if (said.json) said.output = "json";
  return std::nullopt;
}

std::optional<std::string> either(const std::optional<std::string>& said, const std::string& playbook) {
  if (said || playbook.empty()) return said;
  return playbook;
}

std::vector<std::string> words_of(const Playbook& playbook, const Said& said, std::string prompt) {
  std::vector<std::string> words;
  if (const auto model = either(said.model, playbook.model)) words.push_back(*model);
  words.push_back(std::move(prompt));
  return words;
}

FlowOptions flow_options(const Playbook& playbook, const Said& said, std::string prompt) {
  FlowOptions o;
  o.words = words_of(playbook, said, std::move(prompt));
  o.fanout = playbook.kind == Playbook::Kind::fanout;
  o.profile = either(said.agent, playbook.agent);
  o.effort = either(said.effort, playbook.effort);
  o.cwd = said.cwd;
  o.save = either(said.save, playbook.save);
  o.timeout_s = said.timeout_s;
  o.ops_max = said.max_ops ? said.max_ops : playbook.max_ops;
  o.concurrent_max = said.concurrent_max;
  o.tokens_max = said.tokens_max;
  o.cost_max = said.cost_max;
  if (playbook.workers) o.workers = playbook.workers;
  if (!playbook.worker_models.empty()) {
    std::string models;
    for (const auto& model : playbook.worker_models) models += (models.empty() ? "" : ",") + model;
    o.worker_models = models;
  }
  if (playbook.with_synthesis) o.synthesis = playbook.synthesis_model;
  if (!playbook.team_mode.empty()) o.team = playbook.team_mode;
  if (!playbook.team_attach.empty()) o.team_attach = playbook.team_attach;
  for (const auto& artifact : playbook.artifacts_expected)
    if (artifact.required) o.expected.push_back(artifact.path);
  o.output = said.output;
  o.json = said.json;
  o.background = said.background || playbook.background;
  o.dry_run = said.dry_run || playbook.dry_run;
  o.show_graph = said.show_graph || playbook.show_graph;
  o.bare = said.bare || playbook.bare;
  o.yolo = said.yolo;
  o.verbose = said.verbose;
  o.notify = said.notify;
  o.invocation = said.invocation;
  o.project = said.project;
  return o;
}

AgentOptions agent_options(const Playbook& playbook, const Said& said, std::string prompt) {
  AgentOptions o;
  o.words = words_of(playbook, said, std::move(prompt));
  o.profile = either(said.agent, playbook.agent);
  o.effort = either(said.effort, playbook.effort);
  o.cwd = said.cwd;
  o.timeout_s = said.timeout_s;
  o.background = said.background || playbook.background;
  o.json = said.json;
  o.yolo = said.yolo;
  o.verbose = said.verbose;
  return o;
}

}  // namespace

int play_playbook(const Playbook& playbook, const std::vector<std::string>& words) {
  Said said;
  if (const auto code = read(playbook, words, said)) return *code;
  auto prompt = app::filled_prompt(playbook, said.args, said.input.empty() ? "" : said.input.front());
  if (!prompt) return complain(kUsage, prompt.error().message);
  std::vector<std::string> command{"outlast", "play", playbook.name};
  command.insert(command.end(), words.begin(), words.end());
  if (playbook.kind == Playbook::Kind::agent) {
    if (said.notify || said.invocation || said.project) return complain(kUsage, "--notify, --invocation and --project are for playbooks of kind flow or fanout");
    auto options = agent_options(playbook, said, std::move(*prompt));
    options.command = std::move(command);
    return run_agent(options);
  }
  auto options = flow_options(playbook, said, std::move(*prompt));
  options.command = std::move(command);
  return run_flow(options);
}

}  // namespace cli
