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

}  // namespace

store::Launch make_launch(const LaunchRequest& request, const base::Clock& clock, base::Random& random, store::OwnerNumber owner) {
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
