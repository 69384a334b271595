#pragma once
// Clients of one home: several executors at once that launch runs, append to them, cancel, end and remove them, and a reader
// that looks at what they did; several processes one after the other. Real store, real threads, everything noted in a ledger.
#include <cstdint>
#include <functional>
#include <string>

#include "tests/disk/ledger.h"

namespace disk {

struct WorkloadOptions {
  std::uint64_t seed = 1;  // of what is asked; threads mix the answers
  int lives = 3;           // processes, one after the other
  int executors = 6;       // in each
  int runs = 3;            // of each executor
  int batches = 70;        // of each run, at most
  // Called with the reason when the store is broken; then the same is asked again, as executors do. None: it is thrown.
  std::function<void(const std::string&)> broken = {};
};

// Plays on the disk's directory, which is attached. Throws base::Broken where the store refuses what it must not refuse.
void play(const WorkloadOptions& options, Disk& disk, Ledger& ledger);

}  // namespace disk
