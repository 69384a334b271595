#include "tests/disk/power_cut.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "tests/disk/recording_vfs.h"
#include "tests/disk/temporary_home.h"
#include "tests/disk/workload.h"

namespace disk {

namespace fs = std::filesystem;

namespace {

// What was found at the cuts, for all that look.
class Findings {
 public:
  explicit Findings(PowerCutReport& report) : report_(report) {}
  // True: it is the first violation.
  bool add(const std::string& violation) {
    const std::lock_guard hold(mutex_);
    ++report_.points;
    if (violation.empty() || ++report_.violations > 1) return false;
    report_.first_violation = violation;
    return true;
  }
  bool enough() {
    const std::lock_guard hold(mutex_);
    return report_.violations >= kViolationsMax;
  }

 private:
  static constexpr int kViolationsMax = 20;
  std::mutex mutex_;
  PowerCutReport& report_;
};

std::vector<Position> choose_positions(const PowerCutOptions& options, Position end) {
  sim::Random random(options.seed);
  std::vector<Position> positions;
  // Every tenth lies where the database is made, or it would hardly ever be cut.
  for (int i = 0; i < options.points; ++i)
    positions.push_back(static_cast<Position>(random.below(
        i % 10 == 0 ? std::min<std::int64_t>(200, static_cast<std::int64_t>(end)) : static_cast<std::int64_t>(end) + 1)));
  std::ranges::sort(positions);
  return positions;
}

// Looks at every `jobs`-th position from the `job`-th on; going forward, so that the disk is rolled only once.
void look(const PowerCutOptions& options, const Disk& disk, const Ledger& ledger, const std::vector<Position>& positions, int job,
          Findings& findings) {
  Survivors survivors(disk.journal(), options.lies);
  for (auto i = static_cast<std::size_t>(job); i < positions.size() && !findings.enough();
       i += static_cast<std::size_t>(options.jobs)) {
    const auto cut = positions[i];
    const auto loss = i / static_cast<std::size_t>(options.jobs) % 2 ? Loss::by_chance : Loss::everything_unsynced;
    const auto seed = options.seed * 1'000'003 + i;
    sim::Random random(seed);
    survivors.advance(cut);
    TemporaryHome home;
    survivors.write_to(home.path(), loss, random);
    auto violation = violation_of(ledger, cut, home.path(), seed);
    if (!violation.empty())
      violation += " (seed " + std::to_string(options.seed) + ", cut " + std::to_string(i) + " at position " +
                   std::to_string(cut) + " of " + std::to_string(disk.journal().size()) +
                   (loss == Loss::by_chance ? ", by chance" : ", all unsynced dropped") +
                   (options.keep_first ? ", as found and then opened: " + home.path() : "") + ")";
    if (findings.add(violation) && options.keep_first) home.keep();
  }
}

void count(const Disk& disk, const Ledger& ledger, PowerCutReport& report) {
  report.entries = disk.journal().size();
  for (const auto& entry : disk.journal()) {
    const bool wal = entry.file == FileKind::wal;
    if (wal && entry.kind == Entry::Kind::sync) ++report.commits;
    if (wal && entry.kind == Entry::Kind::write && entry.offset == 0) ++report.wal_restarts;
    if (wal && entry.kind == Entry::Kind::truncate) ++report.wal_truncations;
    if (entry.file == FileKind::database && entry.kind == Entry::Kind::sync) ++report.checkpoints;
  }
  for (const auto& story : ledger.stories) {
    ++report.runs;
    report.events += story.ends.size();
  }
}

}  // namespace

PowerCutReport& PowerCutReport::operator+=(const PowerCutReport& other) {
  points += other.points;
  if (!violations) first_violation = other.first_violation;
  violations += other.violations;
  entries += other.entries;
  commits += other.commits;
  wal_restarts += other.wal_restarts;
  wal_truncations += other.wal_truncations;
  checkpoints += other.checkpoints;
  runs += other.runs;
  events += other.events;
  return *this;
}

PowerCutReport cut_power(const PowerCutOptions& options) {
  PowerCutReport report;
  TemporaryHome home;
  Disk disk(home.path());
  Ledger ledger;
  {
    const Attached attached(disk);
    play({.seed = options.seed}, disk, ledger);
  }
  count(disk, ledger, report);
  const auto positions = choose_positions(options, disk.journal().size());
  Findings findings(report);
  std::vector<std::thread> threads;
  for (int job = 0; job < options.jobs; ++job)
    threads.emplace_back([&, job] { look(options, disk, ledger, positions, job, findings); });
  for (auto& thread : threads) thread.join();
  return report;
}

}  // namespace disk
