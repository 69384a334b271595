#pragma once
// Live streams bring about one event per commit; a finished run's small blocks are merged into large ones, which read five
// times as fast (docs/performance.md). Same table, same format, one reader.
#include "store/sqlite/database.h"
#include "store/types.h"

namespace store::sqlite {

struct Unsealed {
  RunNumber run = 0;
  std::int64_t from = 0;  // blocks below this event are done
};

// Merges one stretch of small blocks in a transaction of its own. True: there is more to do.
bool seal_step(Database& db, Unsealed& unsealed);

}  // namespace store::sqlite
