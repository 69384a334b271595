#pragma once
// The decisions that let a run go on, as its log has them: what a repeated decision is recognized by.
#include <cstdint>
#include <vector>

#include "run/event.h"
#include "store/store.h"

namespace engine {

struct Continuation {
  std::uint64_t index = 0;  // of the event
  run::RunContinued made;
};

// As far as `run`, the row, knows the log; oldest first.
aio::Task<std::vector<Continuation>> continuations(store::Store& store, store::Run run);

}  // namespace engine
