#include "engine/launch.h"

#include "base/ids.h"
#include "run/event.h"

namespace engine {

namespace {

// The events that every run begins with, committed with the run itself.
void first_events(store::Launch& launch, const run::Spec& spec) {
  const auto add = [&launch](run::Payload payload) {
    launch.first_events += run::encode({launch.now_ms, std::move(payload)}) + "\n";
    ++launch.first_event_count;
  };
  add(run::RunStarted{spec.model, spec.provider});
  if (!spec.call && !spec.flow && !spec.harness) add(run::ModelStarted{spec.model, spec.provider});
}

// A coding agent in a model's place: what the agent may do unasked decides what the program may.
std::optional<run::HarnessSpec> harness_of(const LaunchRequest& request) {
  const auto& spec = request.spec;
  if (spec.harness || spec.call || spec.flow) return spec.harness;
  const auto* harness = harness_of_provider(spec.provider);
  if (!harness) return std::nullopt;
  run::HarnessSpec out;
  out.harness = harness->name();
  out.title = request.session_name.empty() ? request.component_name : request.session_name;
  const auto* shell = run::find_grant(spec.tools, "Bash");
  out.skip_permissions = shell && shell->gate == run::Gate::allow;
  out.unattended = !shell;  // nobody is asked about commands: there are none
  return out;
}

}  // namespace

const harness::Harness* harness_of_provider(std::string_view provider) {
  return harness::find(provider == "gemini-code" ? "gemini" : provider == "gemini" ? "" : provider);
}

store::Launch make_launch(const LaunchRequest& given, const base::Clock& clock, base::Random& random, store::OwnerNumber owner) {
  auto request = given;
  if (auto harness = harness_of(given)) {
    request.spec.harness = std::move(harness);
    request.kind = store::kKindHarness;
  }
  store::Launch launch;
  launch.id_is_callers = !request.run_id.empty();
  launch.run_id = launch.id_is_callers ? request.run_id : base::new_run_id(clock, random);
  launch.kind = request.kind;
  launch.component_id = request.component_id;
  launch.component_name = request.component_name;
  launch.session_id = request.session_id;
  launch.session_name = request.session_name;
  launch.user_id = request.user_id;
  launch.parent_run_id = request.parent_run_id;
  launch.group_id = request.group_id;
  launch.origin = request.origin;
  launch.launch_key = request.launch_key;
  launch.request_digest = request.request_digest;
  launch.spec = run::encode(request.spec);
  launch.now_ms = clock.wall_ms();
  launch.awaited = request.awaited;
  launch.tasks_max = request.tasks_max;
  launch.in_turn = request.in_turn;
  launch.claim_for = owner;
  if (owner) first_events(launch, request.spec);
  return launch;
}

}  // namespace engine
