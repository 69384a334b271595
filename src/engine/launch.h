#pragma once
// A run as it is asked for, and the store's launch that it becomes.
#include <string>

#include "base/clock.h"
#include "harness/harness.h"
#include "run/spec.h"
#include "store/types.h"

namespace engine {

// What is to be run. The digest and the key decide what a retry is (docs/api.md).
struct LaunchRequest {
  run::Spec spec;
  std::string kind = "agent";
  std::string component_id, component_name;
  std::string session_id, session_name, user_id;
  std::string parent_run_id, group_id, origin = "server";
  std::string run_id;                  // the caller's, or ""
  std::string launch_key, request_digest;
  bool awaited = false;                // of kind tool (store::Run::awaited)
  std::size_t tasks_max = 0;           // of kind tool (store::Launch::tasks_max)
  bool in_turn = false;                // waits for the session's earlier turns (store::Launch::in_turn)
};

// The program that runs in a model's place where a spec names it as its provider; null: that is a provider of models.
const harness::Harness* harness_of_provider(std::string_view provider);

// `owner`: who executes the first attempt; with it the run's first events are committed with the run. 0: whoever comes.
store::Launch make_launch(const LaunchRequest& request, const base::Clock& clock, base::Random& random, store::OwnerNumber owner);

}  // namespace engine
