#include "cli/app_request.h"

#include <algorithm>
#include <filesystem>

#include "app/check.h"
#include "app/spec_of.h"
#include "base/ids.h"
#include "base/text.h"
#include "cli/request_parts.h"
#include "llm/provider_table.h"

namespace cli {

namespace {

struct Input {
  std::string key, value;
  bool used = false;
};

Checked<std::vector<Input>> read_inputs(const std::vector<std::string>& words) {
  std::vector<Input> inputs;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    const auto key = word.substr(0, equals);
    if (equals == std::string::npos || base::trim(key).empty() || key.find_first_of("{} \t\n") != std::string::npos)
      return refuse(kUsage, "--input " + word + ": write key=value");
    inputs.push_back({.key = key, .value = word.substr(equals + 1)});
  }
  return inputs;
}

// Puts the values where {{input.key}} asks for them. What is put in is only text: it is not looked at again.
std::string fill(const std::string& text, std::vector<Input>& inputs) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto open = text.find("{{", at);
    const auto close = open == std::string::npos ? open : text.find("}}", open);
    if (close == std::string::npos) return out + text.substr(at);
    const auto name = base::trim(std::string_view(text).substr(open + 2, close - open - 2));
    const auto input = std::ranges::find_if(inputs, [&](const Input& i) { return name == "input." + i.key; });
    out += text.substr(at, open - at);
    if (input == inputs.end()) {
      out += text.substr(open, close + 2 - open);
    } else {
      out += input->value;
      input->used = true;
    }
    at = close + 2;
  }
  return out;
}

// Message and system prompt with the inputs in their places; an input that nothing asks for is a line of the message.
Checked<> apply_inputs(const std::vector<std::string>& words, std::string message, run::Spec& spec) {
  auto inputs = read_inputs(words);
  if (!inputs) return std::unexpected(inputs.error());
  if (message.empty() && inputs->empty())
    return refuse(kUsage, "a message is required: outlast run APP.yaml \"MESSAGE\", or - to read it from standard input");
  spec.system_prompt = fill(spec.system_prompt, *inputs);
  spec.input = fill(message, *inputs);
  for (const auto& input : *inputs)
    if (!input.used) spec.input += (spec.input.empty() ? "" : "\n") + input.key + ": " + input.value;
  return check_prompt(spec.input);
}

Checked<const app::Agent*> choose_agent(const app::App& app, const AppOptions& options, const SessionOf& session) {
  const auto by_id = [&](const std::string& id) {
    const auto at = std::ranges::find(app.agents, id, &app::Agent::id);
    return at == app.agents.end() ? nullptr : &*at;
  };
  if (app.agents.empty())
    return refuse(kUsage, options.file + " defines no agents (DGT-E0406); add an `agents:` section");
  if (options.agent) {
    if (const auto* agent = by_id(*options.agent)) return agent;
    std::vector<std::string_view> ids;
    std::string listing;
    for (const auto& agent : app.agents) {
      ids.push_back(agent.id);
      listing += (listing.empty() ? "" : ", ") + agent.id;
    }
    const auto meant = base::nearest(*options.agent, ids);
    return refuse(kUsage, "--agent: " + options.file + " has no agent '" + *options.agent + "'" +
                              (meant ? ", did you mean '" + std::string(*meant) + "'?" : "; it has: " + harmless(listing)));
  }
  if (session.last)
    if (const auto* agent = by_id(session.last->component_id)) return agent;
  return by_id(app.entry_agent);
}

// A file that names a key means it: a call without one would only be refused, and that by somebody else.
Checked<> check_key(const app::Agent& agent, const AppOptions& options, const Settings& settings) {
  const auto& brain = agent.brain;
  if (brain.unset_key.empty()) return {};
  const auto configured = settings.config.providers.find(brain.provider);
  if (configured != settings.config.providers.end() && configured->second.api_key) return {};
  const auto* row = llm::find_provider(brain.provider);
  if (row && settings.environment(row->key_variable)) return {};
  return refuse(kUnusable, "agent '" + agent.id + "' has no key: set " + brain.unset_key + ", which its api_key in " + options.file +
                               " names (or api_key of " + brain.provider + " in config.yaml)");
}

std::string directory_of_last(const SessionOf& session) {
  const auto spec = session.last ? run::decode_spec(session.last->spec) : base::Result<run::Spec>(run::Spec{});
  return spec ? spec->work_directory : "";
}

}  // namespace

Checked<app::App> load_runnable(const std::string& file, const Settings& settings) {
  auto checked = app::check_file(file, settings.environment);
  if (!checked) return refuse(checked.error());
  if (!checked->ok() || !checked->app) {
    std::string text;
    for (const auto& error : checked->errors) text += (text.empty() ? "" : "\n") + app::to_text(error, file);
    return refuse(kUsage, harmless(text));
  }
  for (const auto& warning : checked->warnings) warn(harmless(app::to_text(warning, file)));
  return std::move(*checked->app);
}

aio::Task<Checked<SessionOf>> session_of_app(Process& process, AppOptions options) {
  if (int(options.session.has_value()) + int(options.resume.has_value()) + int(options.continue_last) > 1)
    co_return refuse(kFailed, "--session, --resume / -r and --continue-last / -c are mutually exclusive.");
  std::error_code ec;
  if (options.resume) co_return co_await session_by_name(process, *options.resume);
  if (options.continue_last) co_return co_await session_last_used(process, std::filesystem::current_path(ec).string());
  SessionOf fresh{.id = options.session.value_or(""), .last = {}, .live = {}};
  if (!options.session) co_return fresh;
  if (!base::valid_session_id(*options.session))
    co_return refuse(kUsage, "--session: an id is 1 to 256 bytes of UTF-8 without control characters");
  const auto known = co_await process.store->find_session(*options.session);
  if (!known) co_return fresh;
  co_return co_await session_by_name(process, *options.session);
}

Checked<engine::LaunchRequest> app_request(Process& process, const app::App& app, const AppOptions& options, std::string message,
                                           const SessionOf& session) {
  const auto chosen = choose_agent(app, options, session);
  if (!chosen) return std::unexpected(chosen.error());
  const auto& agent = **chosen;
  if (agent.brain.provider.empty())
    return refuse(kUsage, "agent '" + agent.id + "' names no model; write `model: provider/model` into " + options.file);
  engine::LaunchRequest request;
  request.origin = "command";
  request.component_id = agent.id;
  request.component_name = agent.name;
  auto& spec = request.spec;
  spec = app::spec_of(agent);
  note_keys(app, agent, spec);
  if (const auto done = apply_inputs(options.inputs, std::move(message), spec); !done) return std::unexpected(done.error());
  auto directory =
      work_directory(options.cwd, process.settings, app.work_directory.empty() ? directory_of_last(session) : app.work_directory);
  if (!directory) return std::unexpected(directory.error());
  spec.work_directory = std::move(*directory);
  if (const auto done = apply_timeout(options.timeout_s, spec); !done) return std::unexpected(done.error());
  if (const auto done = apply_recovery(options.recovery, spec); !done) return std::unexpected(done.error());
  if (const auto done = check_model(process, spec); !done) return std::unexpected(done.error());
  if (const auto done = check_key(agent, options, process.settings); !done) return std::unexpected(done.error());
  request.session_id = session.id.empty() ? base::new_uuid(process.random) : session.id;
  request.session_name = session_name_of(spec);
  if (session.last) request.user_id = session.last->user_id;
  return request;
}

}  // namespace cli
