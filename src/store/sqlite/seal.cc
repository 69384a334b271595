#include "store/sqlite/seal.h"

#include "base/failpoint.h"
#include "base/limits.h"

namespace store::sqlite {

namespace limits = base::limits;

namespace {

struct Stretch {
  std::int64_t first = 0, end = 0, blocks = 0;
  std::string data;
};

// The first stretch of neighbouring blocks that fit into one sealed block.
Stretch next_stretch(Database& db, const Unsealed& unsealed) {
  Stretch stretch;
  auto blocks = db.query("SELECT first, count, data FROM event_block WHERE run = ? AND first >= ? ORDER BY first");
  blocks.bind(unsealed.run).bind(unsealed.from);
  while (blocks.step()) {
    const auto first = blocks.integer(0);
    const auto data = blocks.bytes(2);
    if (stretch.blocks && stretch.data.size() + data.size() > limits::kSealedBlockBytes) {
      if (stretch.blocks > 1) return stretch;
      stretch = {};
    }
    if (!stretch.blocks) stretch.first = first;
    stretch.end = first + blocks.integer(1);
    stretch.data += data;
    ++stretch.blocks;
  }
  return stretch;
}

}  // namespace

bool seal_step(Database& db, Unsealed& unsealed) {
  const auto run = unsealed.run;
  if (unsealed.from == 0) {
    auto count = db.query("SELECT count(*) FROM event_block WHERE run = ?");
    count.bind(run);
    if (!count.step() || count.integer(0) < static_cast<std::int64_t>(limits::kSealBlocksMin)) return false;
  }
  const auto stretch = next_stretch(db, unsealed);
  if (stretch.blocks < 2) return false;
  unsealed.from = stretch.end;
  db.query("BEGIN IMMEDIATE").run();
  try {
    db.query("DELETE FROM event_block WHERE run = ? AND first >= ? AND first < ?").bind(run).bind(stretch.first).bind(stretch.end).run();
    if (db.changes() == stretch.blocks) {
      db.query("INSERT INTO event_block(run, first, count, data) VALUES(?, ?, ?, ?)")
          .bind(run)
          .bind(stretch.first)
          .bind(stretch.end - stretch.first)
          .bind_blob(stretch.data)
          .run();
      db.commit();
      base::failpoint("seal.after_commit");
      return true;
    }
    db.query("ROLLBACK").run();  // removed or sealed by another process meanwhile
    return false;
  } catch (...) {
    if (db.in_transaction()) db.query("ROLLBACK").run();
    throw;
  }
}

}  // namespace store::sqlite
