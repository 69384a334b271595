#pragma once
// Rows as values: the columns of run and session in one place.
#include "store/sqlite/database.h"
#include "store/types.h"

namespace store::sqlite {

// The columns that read_run expects, from `run r JOIN session s ON s.id = r.session JOIN run_spec p ON p.run = r.id`.
#define OUTLAST_RUN_COLUMNS                                                                                                  \
  "r.id, r.run_id, r.kind, r.component_id, r.component_name, r.session, s.session_id, r.user_id, r.parent_run_id, "          \
  "r.group_id, r.origin, r.status, r.reason, r.cancel_requested, r.epoch, r.owner, r.history_through, r.first_kept, "        \
  "r.created_ms, r.updated_ms, r.ended_ms, "                                                                                 \
  "coalesce((SELECT b.first + b.count FROM event_block b WHERE b.run = r.id ORDER BY b.first DESC LIMIT 1), r.first_kept), " \
  "p.spec, p.digest, r.awaited, CASE r.began_ms WHEN 0 THEN r.created_ms ELSE r.began_ms END, " \
  "s.forked_from <> 0"
#define OUTLAST_RUN_TABLES " FROM run r JOIN session s ON s.id = r.session JOIN run_spec p ON p.run = r.id "

Run read_run(const Query& row);

#define OUTLAST_SESSION_COLUMNS                                                                                                \
  "s.id, s.session_id, s.name, s.component_type, s.component_id, s.user_id, s.state, s.metadata, s.created_ms, s.updated_ms, " \
  "s.forked_at, coalesce((SELECT f.run_id FROM run f WHERE f.id = s.forked_from), ''), "                                       \
  "(SELECT count(*) FROM run c WHERE c.session = s.id AND c.kind <> 'tool'), s.app_id"

Session read_session(const Query& row);

#define OUTLAST_MEMORY_COLUMNS "number, kind, status, content, category, importance, created_ms, changed_ms"

run::MemoryEntry read_memory(const Query& row);

}  // namespace store::sqlite
