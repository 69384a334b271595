#include "store/sqlite/event_blocks.h"

namespace store::sqlite {

void insert_block(Database& db, Commit& commit, NewBlock block) {
  db.query("INSERT INTO event_block(run, first, count, data) VALUES(?, ?, ?, ?)")
      .bind(block.run)
      .bind(static_cast<std::int64_t>(block.first))
      .bind(std::int64_t{block.count})
      .bind_blob(*block.lines)
      .run();
  const auto id = db.last_insert_id();
  if (!commit.block_first) commit.block_first = id;
  commit.block_last = id;
  commit.growth.push_back({.run = block.run,
                           .session = block.session,
                           .slice = {.first = block.first, .count = block.count, .lines = std::move(block.lines)},
                           .status = block.status});
}

std::int64_t next_index(Database& db, RunNumber run) {
  auto q = db.query("SELECT first + count FROM event_block WHERE run = ? ORDER BY first DESC LIMIT 1");
  q.bind(run);
  return q.step() ? q.integer(0) : 0;
}

}  // namespace store::sqlite
