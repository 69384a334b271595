#pragma once
// Shows a run as it goes on, from the committed log alone, until it ends or the person at the terminal leaves.
#include <cstdint>
#include <optional>
#include <string>

#include "cli/process.h"
#include "store/types.h"

namespace cli {

struct FollowOptions {
  std::uint64_t from = 0;  // events before it are not shown
  bool verbose = false;
  bool json = false;     // one object at the end instead of everything else
  int early_signal = 0;  // one that came while the run was being launched
  // What the first Ctrl-C does: it leaves the run running, or it cancels it (a second one leaves then).
  enum class Interrupt { detaches, cancels } interrupt = Interrupt::detaches;
  bool hints = true;  // how to come back, how to decide
  std::string resume_with = "outlast agent";  // the command of the hint
};

// The exit code: the run's when it ended, 130 when the person left, 3 when it paused.
aio::Task<int> follow_run(Process& process, store::Run run, FollowOptions options);

}  // namespace cli
