// outlast_powercut: cuts the power at many moments (docs/crash-proof.md) and says what was lost: one line of JSON. On a
// violation what is missing, the seed and the position, and exit code 1; the disk as it was found is kept.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "tests/disk/power_cut.h"

namespace {

constexpr int kPointsOfOneWorkload = 1000;

}  // namespace

int main(int argc, char** argv) {
  const auto begin = std::chrono::steady_clock::now();
  const int points = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const auto first = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const int jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (points < 1) {
    std::fputs("usage: outlast_powercut [POINTS] [SEED]\n", stderr);
    return 2;
  }
  disk::PowerCutReport all;
  auto seed = first;
  for (int left = points; left > 0 && !all.violations; left -= kPointsOfOneWorkload, ++seed)
    all += disk::cut_power({.seed = seed, .points = std::min(left, kPointsOfOneWorkload), .jobs = jobs, .keep_first = true});
  if (all.violations) std::fprintf(stderr, "%s\n", all.first_violation.c_str());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf(
      "{\"ok\": %s, \"points\": %d, \"violations\": %d, \"first_seed\": %llu, \"workloads\": %llu, \"runs\": %llu, \"events\": "
      "%llu, "
      "\"commits\": %zu, \"checkpoints\": %zu, \"wal_restarts\": %zu, \"seconds\": %.1f}\n",
      all.violations ? "false" : "true", all.points, all.violations, static_cast<unsigned long long>(first),
      static_cast<unsigned long long>(seed - first), static_cast<unsigned long long>(all.runs),
      static_cast<unsigned long long>(all.events), all.commits, all.checkpoints, all.wal_restarts, seconds.count());
  return all.violations ? 1 : 0;
}
