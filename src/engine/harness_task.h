#pragma once
// What a run of kind harness has to do with the named task that it is a turn of.
#include "engine/deps.h"
#include "run/harness.h"

namespace engine {

// The session that the program has confirmed is the task's from here on, where the run is the task's newest. Doing it again changes
// nothing.
aio::Task<> bind_session(store::Store& store, const store::Run& run, const run::HarnessSpec& spec, const run::HarnessState& state);

aio::Task<bool> is_done(store::Store& store, const run::HarnessSpec& spec);

}  // namespace engine
