#pragma once
// What the store keeps, as plain values. Times are wall milliseconds.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "run/event.h"
#include "run/memory.h"
#include "run/status.h"

namespace store {

// The store's own number of a run or session; never shown to a client.
using RunNumber = std::int64_t;
using SessionNumber = std::int64_t;
using OwnerNumber = std::int64_t;  // a process that may execute

struct Run {
  RunNumber number = 0;
  std::string run_id;
  std::string kind;  // "agent", kKindTool, kKindFlow, kKindFanout, kKindHarness
  std::string component_id, component_name;
  SessionNumber session = 0;
  std::string session_id;
  std::string user_id;
  std::string parent_run_id;  // "" none
  std::string group_id;       // the run whose directory holds this one's files; "" = no directory
  std::string spec;           // run::Spec as JSON text
  std::string request_digest;
  std::string origin;  // "server" or "command"
  run::Status status = run::Status::pending;
  std::string reason;    // "run.completed.ok" ... ; "" while live
  bool awaited = false;  // of kind tool: the call that launched it waits for it, its end is no news
  bool cancel_requested = false;
  std::int64_t epoch = 0;            // the attempt; grows with every claim
  OwnerNumber owner = 0;             // 0: nobody
  std::int64_t history_through = 0;  // of the session: ended runs up to this ordinal are this run's past
  bool forked = false;               // the session began as a fork of another: that is its past too
  std::uint64_t first_kept = 0;      // events below were given up by declared retention
  std::uint64_t event_count = 0;     // one more than the last event's index
  std::int64_t created_ms = 0, updated_ms = 0, ended_ms = 0;
  std::int64_t began_ms = 0;  // when its own time began: at its launch, or when its turn had come
};

struct Session {
  SessionNumber number = 0;
  std::string session_id, name, component_type, component_id, user_id;
  std::string app_id;           // the app that it is a session of; "" none
  std::string state, metadata;  // JSON text or ""
  std::string forked_from_run;  // run_id or ""
  std::uint64_t forked_at = 0;  // events below this index belong to the history
  std::int64_t created_ms = 0, updated_ms = 0;
  std::int64_t run_count = 0;
};

// A consecutive piece of one run's log: `count` lines, each ended by a newline.
struct Slice {
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  std::shared_ptr<const std::string> lines;
  std::uint64_t end() const { return first + count; }
};

// An inner fact of a run (an attempt, a retry, a take-over): beside the log, never numbered as an event.
struct Fact {
  std::int64_t at_ms = 0;
  std::int64_t epoch = 0;
  std::string type;  // "model_retry" ...
  std::string data;  // JSON text
};

// Something that the model of a session is to be told at its next turn.
struct Notice {
  std::int64_t number = 0;
  std::string task_id;  // a run of kind tool
  std::string kind;     // kNoticeEnded, kNoticeReady
  std::string detail;   // of its kind
  std::int64_t created_ms = 0;
};
inline constexpr std::string_view kNoticeEnded = "ended";  // the task has ended
inline constexpr std::string_view kNoticeReady = "ready";  // `detail`, a pattern, was seen in its output
inline constexpr std::string_view kNoticeUpdate = "update";  // a watch has seen its output change: a number, a blank, the output
// Of a run of kind harness: a message for its program, {"id","text"} in `detail`. It wakes nobody: whoever writes one looks after it.
inline constexpr std::string_view kNoticeMessage = "message";
inline constexpr std::string_view kNoticeSaid = "said";    // `detail` is what the model is to be told
// Runs of other runs. They are of the orchestrator's session, but no part of its conversation.
inline constexpr std::string_view kKindFlow = "flow", kKindFanout = "fanout";
inline constexpr std::string_view kKindHarness = "harness";  // turns of a coding-agent program
inline constexpr std::string_view kKindTool = "tool";      // a run that is one call, a task

// Runs without a living executor: all, or only tasks and what other runs have started.
enum class Orphans { all, dependent };

// A run of a session that is part of its conversation: not a task. They are listed in the order of their launch.
struct Turn {
  RunNumber number = 0;
  std::string run_id;
  run::Status status = run::Status::pending;
  bool waits = false;  // for the end of an earlier one (Launch::in_turn)
  std::uint64_t first_kept = 0, event_count = 0;
};

// What a paused run waits for.
struct Pause {
  std::vector<run::ToolCall> calls;    // none where the run itself was parked
  std::vector<run::Decision> decided;  // of these calls, while others still wait
};

// What a decision came to.
struct Decided {
  Run run;
  bool goes_on = false;  // nothing waits any more; else the run is paused still
};

// A process that may execute runs.
struct Owner {
  OwnerNumber number = 0;
  std::string host, boot_id;
  std::int64_t pid = 0, pid_start = 0;
  std::int64_t expires_ms = 0;
};

// A process that holds the right to execute runs, whether or not it still lives.
struct Holder {
  Owner owner;
  bool lives = false;
  std::vector<std::string> run_ids;  // of pending and running ones, oldest first
};

// The runs that a run has started, by what has become of them; paused ones are pending.
struct ChildCounts {
  std::int64_t pending = 0, running = 0, completed = 0, failed = 0;
  std::int64_t total() const { return pending + running + completed + failed; }
  std::int64_t live() const { return pending + running; }
};

// Runs that no other run has started: all live ones, and of those that have ended the last.
struct OverviewFilter {
  std::int64_t ended_since_ms = 0;
  std::size_t ended_max = 0, limit = 0;
};

struct Launch {
  std::string run_id;
  bool id_is_callers = false;  // a known id is then a retry or a conflict instead of a reason to draw again
  std::string kind = "agent";
  std::string component_id, component_name;
  std::string session_id;    // made if it is not there; a task whose parent has moved is made where that is now
  std::string session_name;  // of a new session
  std::string user_id, parent_run_id, group_id, origin;
  std::string launch_key;  // "" none; already scoped to the user
  std::string request_digest;
  std::string spec;
  std::string first_events;  // lines, committed with the run; may be empty
  std::uint32_t first_event_count = 0;
  bool awaited = false;
  // Waits until the turns launched before it have ended, and knows what they said. Its session must exist.
  bool in_turn = false;
  OwnerNumber claim_for = 0;    // executor of the first attempt; 0: whoever comes
  // Of kind tool: refused where so many of the session are live, of those that are awaited or of the others; 0: no bound.
  std::size_t tasks_max = 0;
  std::size_t turns_max = 0;    // in turn: refused where so many of the session are live; 0: no bound
  std::size_t waiting_max = 0;  // then it is refused where so many runs wait already; 0: no bound
  std::int64_t now_ms = 0;
};

// What a launch met: a new run, a retry of the same request, another request under the same key or id, too many runs that
// wait, or no session to take its turn in: nothing was made.
enum class Known { fresh, retry, other_request, other_component, no_room, no_session };

struct Launched {
  Run run;  // the new one, or the one that the key or id names
  Known known = Known::fresh;
  bool by_key = false;  // the launch key named it, not the id
};

struct Lease {
  Run run;
  bool taken_over = false;  // it had an executor before
  bool died = false;        // ... which died: it did not give the run up
  Slice log = {};           // its events, where whoever has made the lease knows them: they need not be read
};

struct Append {
  RunNumber run = 0;
  std::int64_t epoch = 0;
  std::uint64_t first = 0;  // index of the first line
  std::string lines;        // each ended by a newline
  std::uint32_t count = 0;
  std::vector<Fact> facts;
  std::optional<run::Status> status;  // with the last line, in the same transaction
  std::string reason;
  std::int64_t now_ms = 0;
  std::vector<std::int64_t> tells;      // notices that the events tell; refused (conflict) where one has been told already
  std::vector<std::string> told_tasks;  // the model learns of these tasks' ends by the events: no notice need tell it again
};

enum class CancelOutcome { accepted, already_finished, intent_stored };

struct CancelAnswer {
  CancelOutcome outcome = CancelOutcome::accepted;
  run::Status status = run::Status::pending;  // the run's, where it is known
};

struct RunFilter {
  std::string except_type;  // a kind that is left out
  std::string component_type, component_id, session_id, user_id, group_id;
  std::optional<run::Status> status;
  bool live_only = false;
  bool operations = true;  // those of flows too, which lie in the directories of theirs
  std::int64_t limit = 20, offset = 0;
  bool ascending = false;
  enum class Sort { created, updated } sort = Sort::created;
};

// Background tasks that a session's model may look after: none that the call which launched it waits for.
struct TaskFilter {
  std::string session_id;
  std::int64_t live_max = 0;         // the newest
  std::int64_t ended_max = 0;        // those that ended last ...
  std::int64_t ended_since_ms = 0;   // ... since then
};

struct SessionFilter {
  std::string component_type, component_id, user_id, name_contains;
  std::int64_t limit = 20, offset = 0;
  bool ascending = false;
  enum class Sort { created, updated, name } sort = Sort::created;
};

template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t total = 0;
};

struct MemoryFilter {
  std::string contains = {};  // in the content or the category, any case of ASCII letters
  bool open_only = false;     // without todos that are done with
  std::size_t limit = base::limits::kMemoryEntriesMax;
  std::size_t part_bytes_max = SIZE_MAX;  // of contents, of the goal and the todos together, and of the facts: about
};

// What a model call is told besides the log of its run.
struct Surroundings {
  std::vector<Run> live_tasks;    // of its session
  std::vector<Notice> notices;    // not told yet, oldest first
  Page<run::MemoryEntry> memory;  // what was asked for of it
};

struct SessionChange {
  std::optional<std::string> name, state, metadata;
};

// A place where a run's log grew: what readers are woken with.
struct Growth {
  RunNumber run = 0;
  SessionNumber session = 0;
  Slice slice;                        // lines may be null when another process appended
  std::optional<run::Status> status;  // when it changed with it
};

}  // namespace store
