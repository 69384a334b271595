#pragma once
// What is left of a disk after a power cut. A sync makes durable what was written to the file before it began; everything else
// is lost, or survives sector by sector as chance has it: each sector in the state of a moment of its own, so that later writes
// may be there while earlier ones are not. A failed sync loses what it should have kept, and nobody hears of it again.
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "sim/random.h"
#include "tests/disk/disk.h"

namespace disk {

enum class Loss { everything_unsynced, by_chance };

// What a dishonest disk claims to have synced.
struct Lies {
  bool wal = false, database = false, names = false;
};

class Survivors {
 public:
  // The journal must outlive it.
  explicit Survivors(const std::vector<Entry>& journal, Lies lies = {}) : journal_(journal), lies_(lies) {}

  // Goes on to a later position.
  void advance(Position to);
  // The files as they are found after a cut now, written into an empty directory.
  void write_to(const std::string& directory, Loss loss, sim::Random& random) const;

 private:
  struct Content {
    std::string durable;
    std::vector<Position> pending;  // writes and truncates that no sync has covered
  };

  void sync(const Entry& entry);
  bool lied_about(const Entry& entry) const;
  std::map<std::string, Inode> names_by_chance(sim::Random& random) const;
  std::string content_by_chance(const Content& content, sim::Random& random) const;

  const std::vector<Entry>& journal_;
  const Lies lies_;
  Position at_ = 0;
  std::vector<Content> contents_;       // by inode
  std::map<std::string, Inode> names_;  // durable
  std::vector<Position> pending_names_;
};

}  // namespace disk
