#pragma once
// The home that the simulated processes share: one database in memory, the bells, the machine's process table and its disk.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "sim/clockwork.h"
#include "sim/random.h"
#include "store/sqlite/database.h"

namespace sim {

// How likely things go wrong in one seed's world, in thousandths.
struct Weather {
  std::int64_t bell_lost = 0;        // a ring does not reach a process
  std::int64_t slow = 0;             // an answer of the store takes long
  std::int64_t crash_at_commit = 0;  // a commit kills its process: before, or after it
};

class Home {
 public:
  Home();

  store::sqlite::Database& database() { return database_; }
  // While the disk is broken, a transaction that this is called in cannot be committed.
  void spoil_commit();

  // The newest block that was rung for; what the bell's file holds.
  std::int64_t last_block = 0;
  // Until this (virtual, steady) time commits fail, that often in a thousand.
  std::int64_t disk_broken_until_ms = 0, disk_broken = 0;
  bool reads_fail = false;  // and reads too
  Weather weather;

  // Living processes: start time by (host, pid).
  std::map<std::pair<std::string, std::int64_t>, std::int64_t> processes;
  std::string boot_id = "boot-1";

 private:
  store::sqlite::Database database_;
};

}  // namespace sim
