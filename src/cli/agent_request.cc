#include "cli/agent_request.h"

#include <algorithm>
#include <filesystem>

#include "app/catalogue.h"
#include "app/spec_of.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/request_parts.h"
#include "cli/session_of.h"
#include "engine/projection_manifest.h"
#include "llm/model_spec.h"

namespace cli {

namespace {

namespace fs = std::filesystem;
namespace limits = base::limits;

struct Words {
  std::optional<std::string> model;
  std::string prompt;
};

bool looks_like_model(const std::string& word) {
  return word.find(' ') == std::string::npos && llm::parse_model_spec(word).has_value();
}

Checked<Words> read_words(const AgentOptions& options) {
  const auto& words = options.words;
  if (options.resume && options.continue_last)
    return refuse(kFailed, "--resume / -r and --continue-last / -c are mutually exclusive.");
  if (words.empty()) return refuse(kUsage, "a prompt is required: outlast agent [MODEL] \"PROMPT\"");
  if (words.size() > 2)
    return refuse(kUsage,
                  "too many words from '" + words[2] + "' on: write the prompt in quotes: outlast agent [MODEL] \"PROMPT\"");
  Words out;
  if (words.size() == 2) out.model = words[0];
  if (words.size() == 1 && looks_like_model(words[0]))
    return refuse(kUsage, "a prompt is required after the model: outlast agent " + words[0] + " \"PROMPT\"");
  auto prompt = read_prompt(words.back());
  if (!prompt) return std::unexpected(prompt.error());
  out.prompt = std::move(*prompt);
  return out;
}

Checked<> apply_model(const std::string& text, run::Spec& spec) {
  const auto model = llm::parse_model_spec(text);
  if (!model) return refuse(kUsage, model.error().message);
  // A base URL, wire format or key that belongs to one provider says nothing about another.
  if (model->provider != spec.provider) spec.backend.clear(), spec.base_url.clear(), spec.definition.has_key = false;
  spec.provider = model->provider;
  spec.model = model->model;
  spec.effort = model->effort;
  return {};
}

// What would wait for a person does not any more; what is denied stays so.
void approve(run::GrantedTool& tool) {
  if (tool.gate == run::Gate::approve) tool.gate = run::Gate::allow;
}

Checked<> apply_profile(const std::string& name, const std::string& cwd, const Settings& settings, bool yolo, run::Spec& spec,
                        engine::LaunchRequest& request) {
  const auto path = app::find_profile(name, cwd, settings.home);
  if (!path) return refuse(path.error());
  const auto agent = app::load_profile(*path, settings.environment);
  if (!agent) return refuse(agent.error());
  for (const auto& warning : agent->warnings) warn(warning);
  auto own = app::spec_of(*agent);
  if (own.provider.empty()) {
    // The profile names no model: the one chosen so far stays.
    own.provider = spec.provider;
    own.model = spec.model;
    own.backend = spec.backend;
    own.base_url = spec.base_url;
    own.definition = spec.definition;
  }
  if (own.effort.empty()) own.effort = spec.effort;
  if (!agent->max_turns && spec.limits.turns) own.limits.turns = spec.limits.turns;
  own.input = std::move(spec.input);
  own.work_directory = std::move(spec.work_directory);
  own.roots = std::move(spec.roots);
  if (yolo)
    for (auto& tool : own.tools) approve(tool);
  spec = std::move(own);
  request.component_id = agent->id;
  request.component_name = agent->name;
  return {};
}

void grant(run::Spec& spec, std::string_view tool) {
  const auto at = std::ranges::find(spec.tools, tool, &run::GrantedTool::name);
  if (at == spec.tools.end())
    spec.tools.push_back({.name = std::string(tool)});
  else
    at->gate = run::Gate::allow;
}

Checked<> apply_tools(const AgentOptions& options, bool has_own, run::Spec& spec) {
  if (!options.tools) {
    if (!has_own)
      for (const auto* tool : {"Read", "Glob", "Grep"}) grant(spec, tool);
    if (options.yolo)
      for (const auto* tool : {"Write", "Edit"}) grant(spec, tool);
    if (options.yolo)
      for (auto& tool : spec.tools) approve(tool);
    return {};
  }
  spec.tools.clear();
  spec.mcp_servers.clear();
  if (base::trim(*options.tools) == "none") return {};
  std::vector<std::string_view> names;
  std::string listing;
  for (const auto& tool : app::known_tools()) {
    if (tool.exists != app::Exists::now) continue;
    names.push_back(tool.name);
    listing += (listing.empty() ? "" : ",") + std::string(tool.name);
  }
  for (const auto part : base::split(*options.tools, ',')) {
    const auto word = base::trim(part);
    if (word.empty()) continue;
    const auto* tool = app::find_tool(word);
    if (!tool || tool->exists != app::Exists::now) {
      auto message = "--tools: there is no tool '" + std::string(word) + "'";
      if (const auto meant = base::nearest(word, names)) message += ", did you mean '" + std::string(*meant) + "'?";
      return refuse(kUsage, message + " Write a list of " + listing + ", or none");
    }
    grant(spec, tool->name);
  }
  return {};
}

Checked<> apply_overrides(const AgentOptions& options, run::Spec& spec) {
  if (options.effort) {
    if (!llm::valid_effort(*options.effort))
      return refuse(kUsage, "--effort " + *options.effort + ": write none, minimal, low, medium, high, xhigh or max");
    spec.effort = *options.effort;
  }
  if (options.system) {
    if (!base::valid_utf8(*options.system)) return refuse(kUsage, "--system: the text is not valid UTF-8");
    spec.system_prompt = *options.system;
  }
  if (const auto done = apply_timeout(options.timeout_s, spec); !done) return done;
  if (const auto done = apply_recovery(options.recovery, spec); !done) return done;
  if (!spec.limits.turns) spec.limits.turns = limits::kTurnsMax;
  if (!spec.limits.tool_calls) spec.limits.tool_calls = limits::kToolCallsMax;
  return {};
}

std::string absolute_cwd() {
  std::error_code ec;
  return fs::current_path(ec).string();
}

// The agents of a flow can be talked to though its directory was removed: they go on in this one.
void leave_gone_directories(run::Spec& spec) {
  const auto gone = [](const std::string& path) {
    std::error_code ec;
    return !fs::is_directory(path, ec);
  };
  std::erase_if(spec.roots, gone);
  if (spec.work_directory.empty() || !gone(spec.work_directory)) return;
  warn("its directory " + spec.work_directory + " is gone; it goes on in this one");
  spec.work_directory.clear();
}

// Model, profile and flags upon what the session's last run had: flags win over the profile, it wins over the session.
Checked<engine::LaunchRequest> compose(Process& process, const AgentOptions& options, Words words, const SessionOf& session) {
  engine::LaunchRequest request;
  request.origin = "command";
  request.component_id = request.component_name = "agent";
  auto& spec = request.spec;
  if (session.last) {
    const auto last = run::decode_spec(session.last->spec);
    if (!last) return refuse(last.error());
    spec = *last;
    spec.flow.reset();  // its orchestrator goes on as an agent
    spec.harness.reset();  // a coding agent goes on in the session that it has: see engine/launch.cc
    spec.limits.timeout_ms = 0;  // a wall clock is of one command
    request.component_id = session.last->component_id;
    request.component_name = session.last->component_name;
    request.user_id = session.last->user_id;
  }
  spec.input = std::move(words.prompt);
  if (session.last && !session.last->parent_run_id.empty()) leave_gone_directories(spec);
  auto directory = work_directory(options.cwd, process.settings, spec.work_directory);
  if (!directory) return std::unexpected(directory.error());
  spec.work_directory = std::move(*directory);
  if (options.profile)
    if (const auto done = apply_profile(*options.profile, absolute_cwd(), process.settings, options.yolo, spec, request); !done)
      return std::unexpected(done.error());
  const auto model = words.model ? words.model : spec.provider.empty() ? process.settings.config.default_model : std::nullopt;
  if (!model && spec.provider.empty())
    return refuse(kFailed, "model or --agent is required unless --resume / -r or --continue-last / -c is set");
  if (model)
    if (const auto done = apply_model(*model, spec); !done) return std::unexpected(done.error());
  if (const auto done = apply_tools(options, session.last || options.profile, spec); !done) return std::unexpected(done.error());
  if (const auto done = apply_overrides(options, spec); !done) return std::unexpected(done.error());
  if (const auto done = check_model(process, spec); !done) return std::unexpected(done.error());
  request.session_id = session.id.empty() ? base::new_uuid(process.random) : session.id;
  request.session_name = session_name_of(spec);
  return request;
}

}  // namespace

Failure live_leg(const store::Run& run) {
  auto message = "branch " + run.session_id + " has a live run " + run.run_id + " (" + std::string(run::name(run.status)) + ")";
  message += run.status == run::Status::paused ? ": decide it with `outlast approve " + run.run_id + "`"
                                               : ": follow it with `outlast attach " + run.run_id + "`";
  return {kFailed,
          message + ", end it with `outlast cancel " + run.run_id + "`, or branch off with `outlast fork " + run.run_id + "`"};
}

aio::Task<Checked<engine::LaunchRequest>> agent_request(Process& process, const AgentOptions& options) {
  auto words = read_words(options);
  if (!words) co_return std::unexpected(words.error());
  SessionOf session;
  if (options.resume || options.continue_last) {
    auto named = options.resume ? session_by_name(process, *options.resume) : session_last_used(process, absolute_cwd());
    auto found = co_await std::move(named);
    if (!found) co_return std::unexpected(found.error());
    session = std::move(*found);
    if (session.live) co_return std::unexpected(live_leg(*session.live));
  }
  co_return compose(process, options, std::move(*words), session);
}

}  // namespace cli
