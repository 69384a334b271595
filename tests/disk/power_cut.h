#pragma once
// The power-cut model: a workload on the real store, and the disk as it would be found after a cut at any moment of it.
#include <cstdint>
#include <string>

#include "tests/disk/survivors.h"

namespace disk {

struct PowerCutOptions {
  std::uint64_t seed = 1;
  int points = 1000;  // half lose everything unsynced, half keep some of it by chance
  int jobs = 2;       // threads that look
  Lies lies = {};
  bool keep_first = false;  // the disk of the first violation stays for whoever looks into it
};

struct PowerCutReport {
  int points = 0, violations = 0;
  std::string first_violation;  // with its seed, its position and, where asked for, its disk
  // What the workload made the disk see: a model of nothing would find nothing.
  std::size_t entries = 0, commits = 0, wal_restarts = 0, wal_truncations = 0, checkpoints = 0;
  std::uint64_t runs = 0, events = 0;

  PowerCutReport& operator+=(const PowerCutReport& other);
};

PowerCutReport cut_power(const PowerCutOptions& options);

}  // namespace disk
