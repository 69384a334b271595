#pragma once
// The promises, checked from outside: what was committed (read back from the database after every transaction), what clients
// were told, and what the world was made to do. docs: shared/DESIGN.md P1-P10.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "run/status.h"
#include "sim/clockwork.h"
#include "sim/commands.h"
#include "sim/trace.h"
#include "store/sqlite/database.h"
#include "store/types.h"

namespace sim {

struct CallRecord {
  bool started = false, completed = false;  // in the log
  std::int64_t executions = 0;              // in the world
};

// One run as the database has it.
struct Log {
  std::string run_id;
  std::optional<std::uint64_t> plan;
  std::vector<std::string> lines;
  run::Status status = run::Status::pending;
  store::OwnerNumber owner = 0, holder = 0;  // now; the last that was one
  std::int64_t epoch = 0;
  std::size_t models_completed = 0;
  bool ended = false;         // its last event is there
  bool excused = false;       // it may fail by an internal error: the world broke under it
  bool cancel_bound = false;  // a client was told that it is, or will be, cancelled
  std::map<std::string, CallRecord> calls;
};

class Ledger {
 public:
  // All outlive it.
  Ledger(Trace& trace, const Clockwork& clock, const Commands& commands) : trace_(trace), clock_(clock), commands_(commands) {}

  // After each transaction of a process: everything new in the database must be allowed. `by`: its owner number.
  void look(store::sqlite::Database& db, store::OwnerNumber by);
  // At the end: what the store answers is what it once committed, and makes sense.
  void look_at_all(store::sqlite::Database& db);

  // A client was shown an event.
  void shown(store::RunNumber run, std::uint64_t index, std::string_view line);
  // A client was told of a launch, or of a cancel.
  void acknowledged(const store::Run& run, const std::string& key);
  void cancel_bound(const std::string& run_id);
  // The world was asked for something.
  void model_called(store::OwnerNumber by, std::uint64_t plan, std::size_t turn);
  void tool_called(store::OwnerNumber by, const std::string& run_id, const std::string& call_id, bool repeatable);

  // The world broke under a run; or may under each.
  void excuse(const std::string& run_id);
  bool excuse_all = false;

  const std::map<store::RunNumber, Log>& logs() const { return logs_; }
  const Log* find(store::RunNumber run) const;

  // The first violation counts.
  void violate(const char* promise, const std::string& evidence);
  // Every log, for people.
  std::string story() const;
  bool violated() const { return !violation_.empty(); }
  const std::string& violation() const { return violation_; }

 private:
  void look_at_blocks(store::sqlite::Database& db, store::OwnerNumber by);
  void look_at_rows(store::sqlite::Database& db);
  void add_block(Log& log, const store::Slice& slice, store::OwnerNumber by);
  void add_line(Log& log, std::string_view line);
  void check_sealed(const Log& log, const store::Slice& slice);
  void check_row(Log& log, run::Status status, std::int64_t epoch);
  void check_end(const Log& log);
  void check_content(const Log& log);

  Trace& trace_;
  const Clockwork& clock_;
  const Commands& commands_;
  std::map<store::RunNumber, Log> logs_;
  std::map<std::string, store::RunNumber> by_id_;
  std::map<std::uint64_t, store::RunNumber> by_plan_;
  std::map<std::string, std::string> by_key_;  // run id that a key was answered with
  std::map<std::string, bool> bound_;          // cancels of ids that no run has yet
  std::int64_t last_block_ = 0;
  std::string violation_;
};

}  // namespace sim
