#pragma once
// What a coding-agent program and the commands beside it know of their surroundings.
#include "engine/deps.h"

namespace engine {

// Adds to the child's environment what the caller set, who it is, and, besides what is there, all that this process has but the
// variables of a caller's session: the program would take that session for its own. Values of this process are in no file.
void give_environment(process::ChildSpec& child, const Deps& deps, const store::Run& run, const run::HarnessSpec& spec);

}  // namespace engine
