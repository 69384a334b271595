#include "store/sqlite/rows.h"

namespace store::sqlite {

Run read_run(const Query& row) {
  Run run;
  run.number = row.integer(0);
  run.run_id = row.text(1);
  run.kind = row.text(2);
  run.component_id = row.text(3);
  run.component_name = row.text(4);
  run.session = row.integer(5);
  run.session_id = row.text(6);
  run.user_id = row.text(7);
  run.parent_run_id = row.text(8);
  run.group_id = row.text(9);
  run.origin = row.text(10);
  run.status = static_cast<run::Status>(row.integer(11));
  run.reason = row.text(12);
  run.cancel_requested = row.integer(13) != 0;
  run.epoch = row.integer(14);
  run.owner = row.integer(15);
  run.history_through = row.integer(16);
  run.first_kept = static_cast<std::uint64_t>(row.integer(17));
  run.created_ms = row.integer(18);
  run.updated_ms = row.integer(19);
  run.ended_ms = row.integer(20);
  run.event_count = static_cast<std::uint64_t>(row.integer(21));
  run.spec = row.text(22);
  run.request_digest = row.text(23);
  run.awaited = row.integer(24) != 0;
  run.began_ms = row.integer(25);
  run.forked = row.integer(26) != 0;
  return run;
}

Session read_session(const Query& row) {
  Session session;
  session.number = row.integer(0);
  session.session_id = row.text(1);
  session.name = row.text(2);
  session.component_type = row.text(3);
  session.component_id = row.text(4);
  session.user_id = row.text(5);
  session.state = row.text(6);
  session.metadata = row.text(7);
  session.created_ms = row.integer(8);
  session.updated_ms = row.integer(9);
  session.forked_at = static_cast<std::uint64_t>(row.integer(10));
  session.forked_from_run = row.text(11);
  session.run_count = row.integer(12);
  session.app_id = row.text(13);
  return session;
}

run::MemoryEntry read_memory(const Query& row) {
  run::MemoryEntry entry;
  entry.number = row.integer(0);
  entry.kind = static_cast<run::MemoryKind>(row.integer(1));
  entry.status = static_cast<run::TodoStatus>(row.integer(2));
  entry.content = row.text(3);
  entry.category = row.text(4);
  entry.importance = row.text(5);
  entry.created_ms = row.integer(6);
  entry.changed_ms = row.integer(7);
  return entry;
}

}  // namespace store::sqlite
