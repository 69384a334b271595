#include "cli/endpoints.h"

#include <algorithm>

namespace cli {

namespace {

// A key goes to no other place than the one that the file names it for.
bool calls_the_same_place(const app::Agent& agent, const run::Spec& spec) {
  return agent.brain.provider == spec.provider && agent.brain.endpoint.base_url.value_or("") == spec.base_url;
}

std::unexpected<base::Error> waits(const std::string& why) { return base::fail(base::Errc::unavailable, why); }

}  // namespace

base::Result<Endpoints::Secret> Endpoints::read(const run::Spec& spec, const FileVersion& version) const {
  const auto& file = spec.definition.file;
  const auto& id = spec.definition.agent;
  const auto app = app::load_app(file, environment_);
  if (!app) return waits("its app file cannot be read: " + app.error().message.substr(0, app.error().message.find('\n')));
  const auto agent = std::ranges::find(app->agents, id, &app::Agent::id);
  if (agent == app->agents.end()) return waits("its app file '" + file + "' has no agent '" + id + "' any more");
  if (!calls_the_same_place(*agent, spec))
    return waits("its app file '" + file + "' has changed: agent '" + id + "' calls another provider or base_url now");
  const auto& endpoint = agent->brain.endpoint;
  if (!endpoint.api_key)
    return waits("its app file '" + file + "' gives agent '" + id + "' no api_key here; is the variable that it names set?");
  return Secret{.version = version, .api_key = *endpoint.api_key};
}

base::Result<llm::Endpoint> Endpoints::of(const store::Run& run, const run::Spec& spec) {
  llm::Endpoint endpoint{.provider = spec.provider, .backend = {}, .base_url = {}, .api_key = {}, .timeout_ms = {}};
  if (!spec.backend.empty()) endpoint.backend = spec.backend;
  if (!spec.base_url.empty()) endpoint.base_url = spec.base_url;
  if (spec.limits.model_call_ms) endpoint.timeout_ms = spec.limits.model_call_ms;
  if (spec.definition.file.empty() || !spec.definition.has_key) {
    if (!served_) return endpoint;
    for (const auto& agent : served_->agents) {
      if (agent.id != run.component_id || !calls_the_same_place(agent, spec)) continue;
      endpoint.api_key = agent.brain.endpoint.api_key;
    }
    return endpoint;
  }
  const auto name = spec.definition.file + '\0' + spec.definition.agent + '\0' + spec.provider + '\0' + spec.base_url;
  const auto version = version_of(spec.definition.file);
  auto known = known_.find(name);
  if (known == known_.end() || !(known->second.version == version)) {
    auto secret = read(spec, version);
    if (secret)
      known = known_.insert_or_assign(name, std::move(*secret)).first;
    else if (known == known_.end())
      return std::unexpected(secret.error());
  }
  endpoint.api_key = known->second.api_key;
  return endpoint;
}

namespace {

void note_key(const app::Agent& agent, run::Spec& spec) {
  if (agent.brain.endpoint.api_key) spec.definition = {.file = agent.file, .agent = agent.id, .has_key = true};
}

}  // namespace

void note_keys(const app::App& app, const app::Agent& agent, run::Spec& spec) {
  note_key(agent, spec);
  for (auto& member : spec.team) {
    const auto at = std::ranges::find(app.agents, member.id, &app::Agent::id);
    auto own = run::decode_spec(member.spec);
    if (at == app.agents.end() || !own) continue;
    note_key(*at, *own);
    member.spec = run::encode(*own);
  }
}

}  // namespace cli
