#pragma once
// What a session's agents note for later turns, as tools may use it. Implemented by the engine. Io thread.
#include <cstdint>
#include <string>
#include <vector>

#include "aio/task.h"
#include "base/error.h"
#include "run/memory.h"

namespace tool {

struct Context;

class Memory {
 public:
  virtual ~Memory() = default;

  // Once for each call: one that is made again finds its entry. A goal takes the place of the one before. Errc::busy: full.
  virtual aio::Task<base::Result<run::MemoryEntry>> add(const Context& caller, run::MemoryEntry entry) = 0;
  // Of the caller's session: another's is not found. Errc: not_found, conflict (no todo).
  virtual aio::Task<base::Result<run::MemoryEntry>> change(const Context& caller, std::int64_t number,
                                                           run::MemoryChange change) = 0;
  // One that is gone is as good as forgotten.
  virtual aio::Task<base::Result<>> forget(const Context& caller, std::int64_t number) = 0;
  struct Recalled {
    std::vector<run::MemoryEntry> entries;  // the goal, the todos, the facts newest first
    std::int64_t total = 0;                 // that hold the words, shown or not
  };
  // Those that hold `words`, any case; "": all.
  virtual aio::Task<base::Result<Recalled>> recall(const Context& caller, std::string words, std::size_t limit) = 0;
};

}  // namespace tool
