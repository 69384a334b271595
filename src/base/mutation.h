#pragma once
// Deliberate faults that the proof must catch: a build with -DOUTLAST_MUTATION=N breaks one promise on purpose (`make mutants`
// builds each and shows which check catches it). A normal build has none, and the compiler removes every trace.

namespace base {

enum class Mutation { none, skip_fencing, deliver_before_commit, rerun_finished_tool };

// Each file has its own: only those that look are compiled again for a fault (cmake/layer.cmake).
#ifdef OUTLAST_MUTATION
static constexpr auto kMutation = static_cast<Mutation>(OUTLAST_MUTATION);
#else
static constexpr auto kMutation = Mutation::none;
#endif

static consteval bool mutated(Mutation fault) { return kMutation == fault; }

}  // namespace base
