#include "engine/harness_environment.h"

#include <algorithm>
#include <set>

#include "harness/harness.h"

namespace engine {

namespace {

std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

// Of a caller's session, of any program, which the new session must not take for its own.
bool is_session_variable(std::string_view name) {
  static constexpr std::string_view kOwn[] = {"OUTLAST_TERM", "OUTLAST_TASK", "OUTLAST_RUN_ID", "OUTLAST_FAILPOINT", process::kTagVariable};
  if (std::ranges::find(kOwn, name) != std::end(kOwn)) return true;
  return std::ranges::any_of(harness::all(), [name](const harness::Harness* one) {
    const auto stripped = one->stripped();
    return name == one->session_variable() || std::ranges::any_of(stripped, [name](std::string_view begins) { return name.starts_with(begins); });
  });
}

}  // namespace

void give_environment(process::ChildSpec& child, const Deps& deps, const store::Run& run, const run::HarnessSpec& spec) {
  child.environment.insert(child.environment.end(), spec.environment.begin(), spec.environment.end());
  child.environment.push_back("OUTLAST_RUN_ID=" + run.run_id);
  if (!spec.task.empty()) child.environment.push_back("OUTLAST_TASK=" + spec.task);
  std::set<std::string_view> given;
  for (const auto& variable : child.environment) given.insert(name_of(variable));
  for (const auto& variable : deps.environment)
    if (const auto name = name_of(variable); !given.contains(name) && !is_session_variable(name)) child.inherits.emplace_back(name);
}

}  // namespace engine
