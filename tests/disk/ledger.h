#pragma once
// What clients asked the store for, what it acknowledged and what readers saw, each with the position of the disk's journal at
// that moment: what a cut at a later position must have left.
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "run/status.h"
#include "store/types.h"
#include "tests/disk/disk.h"

namespace disk {

// A value as it was at any position.
template <class T>
class Timeline {
 public:
  void set(Position at, T value) { changes_.emplace_back(at, std::move(value)); }
  T at(Position cut) const {
    T value{};
    for (const auto& [position, change] : changes_) {
      if (position > cut) break;
      value = change;
    }
    return value;
  }

 private:
  std::vector<std::pair<Position, T>> changes_;
};

// One run. `..._asked` is what may be on disk, the others what must be.
struct Story {
  std::string run_id, key, session_id;
  store::RunNumber run = 0;
  std::int64_t epoch = 0;
  std::string log;                // every line that was ever to be appended
  std::vector<std::size_t> ends;  // of each line in it

  Timeline<bool> launch_asked, launched, cancelled, removal_asked, removed;
  Timeline<std::uint64_t> events_asked, events_acknowledged, events_shown, facts_acknowledged;
  Timeline<run::Status> end_asked, ended;  // pending: not

  std::size_t bytes(std::uint64_t events) const { return events ? ends[events - 1] : 0; }
};

struct Ledger {
  std::deque<Story> stories;                                          // addresses stay
  std::map<std::string, Timeline<bool>> intents;                      // cancels of ids that nobody knows yet
  std::map<std::string, Timeline<std::string>> states_asked, states;  // of sessions
};

// The lines of a story's next events, added to its log; what they say depends on nothing but their place and `text_bytes`.
std::string write_lines(Story& story, std::uint32_t count, std::size_t text_bytes);

// Opens the home, which is the disk as found after a cut at this position, with the real store and looks for everything that
// the ledger knows to have been promised before. Then goes on: appends to a run, or launches one. "": all is there.
std::string violation_of(const Ledger& ledger, Position cut, const std::string& home, std::uint64_t seed);

}  // namespace disk
