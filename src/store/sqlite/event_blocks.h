#pragma once
// Where events become rows: a block of lines behind a run's last one, inside a transaction of the writer.
#include <memory>
#include <optional>
#include <string>

#include "store/sqlite/database.h"
#include "store/sqlite/group_commit.h"
#include "store/types.h"

namespace store::sqlite {

struct NewBlock {
  RunNumber run = 0;
  SessionNumber session = 0;
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  std::shared_ptr<const std::string> lines;  // shared with the readers of this process
  std::optional<run::Status> status;         // when it changes with it
};
void insert_block(Database& db, Commit& commit, NewBlock block);

// The index that a run's next event gets.
std::int64_t next_index(Database& db, RunNumber run);

}  // namespace store::sqlite
