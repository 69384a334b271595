#pragma once
// Turns: the runs of a session that are its conversation. One that was launched to wait its turn begins when every turn before it
// has ended; nothing is written when that happens, the rule is looked at by whoever looks for work.
#include <string>
#include <vector>

#include "store/sqlite/database.h"
#include "store/types.h"

namespace store::sqlite {

// Of `run r`: it has not begun, and may not begin yet. One that is cancelled waits for nobody.
#define OUTLAST_WAITS_ITS_TURN                                                                                    \
  "(r.in_turn = 1 AND r.epoch = 0 AND r.cancel_requested = 0 AND EXISTS(SELECT 1 FROM run e INDEXED BY run_turn " \
  "WHERE e.session = r.session AND e.id < r.id AND e.status < 3 AND e.kind <> 'tool'))"

// What a launch in turn meets.
struct TurnsOfSession {
  bool exists = false;    // the session does
  std::int64_t live = 0;  // turns that have not ended
};
TurnsOfSession look_at_turns(Database& db, const std::string& session_id);

bool waits_its_turn(Database& db, RunNumber run);
// Its turn has come: it knows what the turns before it have said, and its time begins. Nothing for a run that never waited.
void begin_turn(Database& db, RunNumber run, std::int64_t now_ms);
// Whether the end of one may let another begin.
bool somebody_waits(Database& db, SessionNumber session);

std::vector<Turn> select_turns(Database& db, SessionNumber session);

}  // namespace store::sqlite
