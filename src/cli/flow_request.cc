#include "cli/flow_request.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <tuple>

#include "app/definition.h"
#include "app/plan_file.h"
#include "app/spec_of.h"
#include "base/ids.h"
#include "base/text.h"
#include "cli/agent_request.h"
#include "cli/request_parts.h"
#include "cli/store_command.h"
#include "engine/cost.h"
#include "engine/flow_execution.h"
#include "engine/projection_manifest.h"
#include "llm/model_spec.h"
#include "run/flow_notify.h"

namespace cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kWorkerTools = "Read,Write,Edit,Glob,Grep,Bash";

Checked<> check_words(const FlowOptions& o, const Settings& settings) {
  if (o.background && !o.save) return refuse(kFailed, "--background requires --save");
  if (o.retry_failed && !o.resume) return refuse(kUsage, "--retry-failed goes with --resume RUN");
  if (o.resume && (o.plan_file || o.dry_run)) return refuse(kUsage, "--resume has its plan: leave --plan and --dry-run out");
  if (o.background && o.dry_run) return refuse(kUsage, "--dry-run prints its plan: leave --background out");
  if (!o.resume && o.words.size() < 2 && !o.profile && !settings.config.default_model) return refuse(kFailed, "model or --agent is required");
  if (!o.resume && o.words.empty()) return refuse(kUsage, "a prompt is required: outlast flow [MODEL] \"PROMPT\"");
  if (o.words.size() > 2)
    return refuse(kUsage, "too many words from '" + o.words[2] + "' on: write the prompt in quotes");
  return {};
}

// The model, tools, limits and project of all agents, as `outlast agent` would read them.
aio::Task<Checked<engine::LaunchRequest>> base_request(Process& process, const FlowOptions& o) {
  AgentOptions agent;
  agent.words = o.words;
  agent.profile = o.profile;
  agent.effort = o.effort;
  agent.cwd = o.cwd;
  agent.timeout_s = o.timeout_s;
  agent.yolo = o.yolo;
  agent.tools = o.tools ? o.tools : o.profile ? std::nullopt : std::optional<std::string>(kWorkerTools);
  co_return co_await agent_request(process, agent);
}

// The run that a flow goes on from: ended, and a flow.
aio::Task<Checked<store::Run>> ended_flow(Process& process, std::string id) {
  auto run = co_await resolve_run(process, id);
  if (!run) co_return std::unexpected(run.error());
  // An operation's id, or a branch of the flow, means the flow.
  if (run->kind == "agent" && !run->parent_run_id.empty())
    if (auto parent = co_await present(process, run->parent_run_id)) run = std::move(*parent);
  if (run->kind != store::kKindFlow && run->kind != store::kKindFanout) co_return refuse(kUsage, "run " + run->run_id + " is no flow");
  if (!run::is_terminal(run->status))
    co_return refuse(kFailed, "flow " + run->run_id + " is still running: follow it with `outlast attach " + run->run_id + "`, end it with `outlast kill " + run->run_id + "`");
  co_return *std::move(run);
}

aio::Task<Checked<engine::LaunchRequest>> resumed_request(Process& process, const FlowOptions& o) {
  const auto run = co_await ended_flow(process, *o.resume);
  if (!run) co_return std::unexpected(run.error());
  auto spec = run::decode_spec(run->spec);
  if (!spec || !spec->flow) co_return refuse(kFailed, "the flow's spec cannot be read");
  const auto state = co_await engine::fold_flow(*process.store, *run, *spec);
  if (!state.rounds.empty()) {
    spec->flow->plan = state.plan;
    spec->flow->carried = run::carried_over(state, o.retry_failed);
  }
  spec->flow->resumed_run = run->run_id;
  spec->limits.timeout_ms = 0;
  spec->limits.tokens = spec->limits.cost_micros = 0;
  if (const auto done = apply_timeout(o.timeout_s, *spec); !done) co_return std::unexpected(done.error());
  engine::LaunchRequest request;
  request.spec = std::move(*spec);
  request.origin = "command";
  request.session_id = run->session_id;
  request.user_id = run->user_id;
  if (const auto usable = check_model(process, request.spec); !usable) co_return std::unexpected(usable.error());
  co_return request;
}

// The profiles that a plan may name as roles. One that cannot be read is no role, and is said.
void add_roles(const Settings& settings, run::FlowSpec& flow) {
  std::error_code ec;
  const auto cwd = fs::current_path(ec).string();
  for (const auto& name : app::profile_names(cwd, settings.home)) {
    const auto path = app::find_profile(name, cwd, settings.home);
    if (!path) continue;
    const auto agent = app::load_profile(*path, settings.environment);
    if (!agent) {
      warn("profile '" + name + "' cannot be a role: " + agent.error().message);
      continue;
    }
    const auto spec = app::spec_of(*agent);
    flow.roles.push_back({name, spec.provider.empty() ? "" : engine::model_spec_of(spec), run::encode(spec)});
  }
}

// Those of a flow that is resumed stay unless others are given: its end is told like the first one.
Checked<> apply_labels(const FlowOptions& o, run::FlowSpec& flow) {
  if (o.notify) {
    if (const auto good = run::check_notify(*o.notify); !good) return refuse(kUsage, "--notify: " + good.error().message);
    flow.notify = *o.notify;
  }
  for (const auto& [flag, given, kept] : {std::tuple("--invocation: ", &o.invocation, &flow.invocation), std::tuple("--project: ", &o.project, &flow.project)}) {
    if (!*given) continue;
    if (const auto good = run::check_label(**given); !good) return refuse(kUsage, flag + good.error().message);
    *kept = **given;
  }
  return {};
}

// Refused where it could not be kept: by a model whose price nobody knows.
Checked<> apply_cost(const Settings& settings, const FlowOptions& o, run::Spec& spec) {
  if (!o.cost_max) return {};
  const auto limit = cost_limit(*o.cost_max);
  if (!limit) return std::unexpected(limit.error());
  spec.limits.cost_micros = *limit;
  const auto check = [&settings](const std::string& provider, const std::string& model) -> Checked<> {
    const auto known = engine::cost_is_known(settings.config.prices, provider, model);
    return known ? Checked<>() : refuse(kUsage, "--max-cost: " + known.error().message);
  };
  if (auto known = check(spec.provider, spec.model); !known) return known;
  auto others = spec.flow->worker_models;
  if (!spec.flow->synthesis_model.empty()) others.push_back(spec.flow->synthesis_model);
  for (const auto& model : others)
    if (const auto named = llm::parse_model_spec(model); named)
      if (auto known = check(named->provider, named->model); !known) return known;
  return {};
}

Checked<> apply_flow_options(const FlowOptions& o, run::Spec& spec) {
  auto& flow = *spec.flow;
  if (const auto labelled = apply_labels(o, flow); !labelled) return labelled;
  flow.fanout = flow.fanout || o.fanout;
  if (o.ops_max) flow.ops_max = o.ops_max;
  if (o.concurrent_max) flow.concurrent_max = o.concurrent_max;
  if (o.tokens_max) spec.limits.tokens = o.tokens_max;
  flow.bare = flow.bare || o.bare;
  flow.dry_run = o.dry_run;
  if (o.show_graph) flow.graph = o.graph_format;
  if (!o.expected.empty()) flow.expected = o.expected;
  if (o.synthesis) flow.synthesis = true, flow.synthesis_model = *o.synthesis;
  if (o.synthesis_prompt) flow.synthesis_prompt = *o.synthesis_prompt;
  if (o.fanout) flow.workers = o.workers;
  if (o.worker_models) {
    for (const auto part : base::split(*o.worker_models, ','))
      if (const auto model = std::string(base::trim(part)); !model.empty()) flow.worker_models.push_back(model);
    flow.workers = std::ssize(flow.worker_models);
  }
  for (const auto& model : flow.worker_models)
    if (const auto known = llm::parse_model_spec(model); !known) return refuse(kUsage, "--workers: " + known.error().message);
  if (!flow.synthesis_model.empty())
    if (const auto known = llm::parse_model_spec(flow.synthesis_model); !known) return refuse(kUsage, "--with-synthesis: " + known.error().message);
  if (o.plan_file) {
    auto plan = app::load_plan_file(*o.plan_file);
    if (!plan) return refuse(kFailed, plan.error().message);
    flow.plan = std::move(*plan);
  }
  return {};
}

// The directory is made here, so that what is wrong with it is said by the command and not found out later. An earlier flow.log
// stays, under another name.
Checked<std::string> prepare_directory(const std::string& typed) {
  std::error_code ec;
  fs::create_directories(typed.empty() ? "." : typed, ec);
  const auto path = fs::canonical(typed.empty() ? "." : typed, ec);
  if (ec) return refuse(kUnusable, "--save " + typed + ": " + ec.message());
  if (access(path.c_str(), W_OK | X_OK) != 0) return refuse(kUnusable, "--save " + typed + " cannot be written: " + std::strerror(errno));
  return path.string();
}

Checked<> keep_earlier_log(const std::string& directory) {
  const auto log = directory + "/flow.log";
  std::error_code ec;
  if (!fs::exists(log, ec) || fs::file_size(log, ec) == 0) return {};
  for (int n = 1; n < 10'000; ++n) {
    const auto kept = log + "." + std::to_string(n);
    if (fs::exists(kept, ec)) continue;
    fs::rename(log, kept, ec);
    if (!ec) return {};
    break;
  }
  return refuse(kUnusable, log + " cannot be put aside: " + ec.message());
}

// Two live flows in one directory would write one flow.log.
aio::Task<Checked<>> refuse_second(Process& process, std::string directory) {
  store::RunFilter filter;
  filter.live_only = true;
  filter.limit = 10'000;
  for (const auto kind : {store::kKindFlow, store::kKindFanout}) {
    filter.component_type = kind;
    const auto live = co_await process.store->list_runs(filter);
    for (const auto& run : live.items) {
      const auto spec = run::decode_spec(run.spec);
      if (spec && spec->flow && spec->flow->saved && spec->flow->directory == directory)
        co_return refuse(kFailed, "flow " + run.run_id + " is running in " + directory + ": choose another --save, or end it with `outlast kill " + run.run_id + "`");
    }
  }
  co_return Checked<>{};
}

std::string group_of(const Settings& settings, const std::string& run_id) {
  for (const auto* name : {"OUTLAST_RUN_ID", "LIONAGI_RUN_ID"})
    if (const auto id = settings.environment(name); id && base::valid_run_id(*id)) return *id;
  return run_id;
}

}  // namespace

std::string cleaned_path(const std::string& typed, const Settings& settings) {
  auto text = typed;
  if (text == "~" || text.starts_with("~/")) text = settings.environment("HOME").value_or("~") + text.substr(1);
  std::string out;
  const bool absolute = text.starts_with('/');
  for (const auto part : base::split(text, '/')) {
    if (part.empty() || part == ".") continue;
    out += (out.empty() ? "" : "/") + std::string(part);
  }
  return absolute ? "/" + out : out;
}

aio::Task<Checked<FlowRequest>> flow_request(Process& process, const FlowOptions& o) {
  if (const auto sound = check_words(o, process.settings); !sound) co_return std::unexpected(sound.error());
  auto asked = o.resume ? resumed_request(process, o) : base_request(process, o);
  auto base = co_await std::move(asked);
  if (!base) co_return std::unexpected(base.error());
  FlowRequest out{.launch = std::move(*base), .shown_log = {}};
  auto& request = out.launch;
  auto& spec = request.spec;
  if (!spec.flow) spec.flow.emplace();
  if (const auto done = apply_flow_options(o, spec); !done) co_return std::unexpected(done.error());
  if (const auto done = apply_cost(process.settings, o, spec); !done) co_return std::unexpected(done.error());
  request.kind = spec.flow->fanout ? store::kKindFanout : store::kKindFlow;
  request.component_id = request.kind;
  request.component_name = "orchestrator";
  if (!spec.flow->bare && !o.resume) add_roles(process.settings, *spec.flow);
  if (o.team) {
    const auto name = run::team_name(o.team->empty() ? std::string(request.kind) : *o.team);
    if (!name) co_return refuse(kUsage, "--team-mode: " + name.error().message);
    spec.flow->team = base::hex(process.random, 12);
    spec.flow->team_name = *name;
  }
  if (o.team && o.team_attach) co_return refuse(kUsage, "--team-mode and --team-attach exclude each other");
  if (o.team_attach) {
    const auto team = co_await process.store->find_team(*o.team_attach);
    if (!team) co_return refuse(kFailed, team.error().message);
    spec.flow->team = team->team_id;
    spec.flow->team_name = team->name;
    spec.flow->team_attached = true;
  }
  request.run_id = base::new_run_id(process.time, process.random);
  spec.flow->saved = o.save.has_value();
  if (o.save) {
    const auto typed = cleaned_path(*o.save, process.settings);
    const auto directory = prepare_directory(typed);
    if (!directory) co_return std::unexpected(directory.error());
    if (const auto alone = co_await refuse_second(process, *directory); !alone) co_return std::unexpected(alone.error());
    if (const auto kept = keep_earlier_log(*directory); !kept) co_return std::unexpected(kept.error());
    spec.flow->directory = *directory;
    out.shown_log = typed.empty() || typed == "/" ? typed + "flow.log" : typed + "/flow.log";
  } else {
    spec.flow->directory = process.settings.home + "/runs/" + group_of(process.settings, request.run_id) + "/artifacts";
  }
  co_return out;
}

}  // namespace cli
