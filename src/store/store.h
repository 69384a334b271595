#pragma once
// The run log and what lies beside it. Every write is durable (synced) before its task ends; nothing is visible before.
// All functions are called on the io thread and come back to it; blocking work happens on the store's own threads.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "aio/task.h"
#include "base/error.h"
#include "store/assignment.h"
#include "store/team.h"
#include "store/types.h"

namespace store {

template <class T = void>
using Answer = aio::Task<base::Result<T>>;

using ChildrenOf = std::unordered_map<std::string, ChildCounts>;  // by run_id

class Store {
 public:
  virtual ~Store() = default;

  // --- executing ---------------------------------------------------------------------------------------------------
  // Registers this process as one that may execute; from now on its lease is renewed from the writer thread.
  virtual aio::Task<OwnerNumber> register_owner() = 0;

  // Makes a run, and its session where that is new, in one transaction; or finds the one that the key or id names already.
  virtual aio::Task<Launched> launch(Launch launch) = 0;

  // Takes the right to execute a run that has no living owner, or whose owner is `from` (hand-over). The epoch grows.
  // Errc: not_found, already_finished, busy (a living owner), conflict (paused).
  virtual Answer<Lease> claim(RunNumber run, OwnerNumber claimant, OwnerNumber from) = 0;

  // Gives the right back: the run waits for another executor, PENDING with `reason`. A stale epoch is ignored.
  virtual aio::Task<> release(RunNumber run, std::int64_t epoch, std::string reason) = 0;

  // Appends in order. Errc::lease_lost (stale epoch or wrong index: stop executing), cancel_requested (a completing status
  // met an acknowledged cancel), already_finished (facts alone may still be added), conflict (a notice has been told already,
  // or a message for a run of kind harness waits: look again).
  virtual Answer<> append(Append append) = 0;

  // Runs that nobody alive executes and that are not terminal or paused, oldest first.
  virtual aio::Task<std::vector<Run>> orphans(std::size_t limit, Orphans which = Orphans::all) = 0;

  // Cancels wait for their executor here; asked after each control bell.
  virtual aio::Task<std::vector<RunNumber>> cancelled_of(OwnerNumber owner) = 0;

  // --- deciding ----------------------------------------------------------------------------------------------------
  // Linearizable with completion. An unknown id is remembered (intent_stored) and binds a later launch of that id.
  virtual aio::Task<CancelAnswer> request_cancel(std::string run_id) = 0;

  // Decisions about calls that a paused run waits for. With the last one it goes on: they are appended together, and it can be
  // claimed. Until then they are kept beside the log. The first decision of a call counts; the same one again is none.
  // Errc: not_found (the run, or such a call of it), conflict (not paused any more, or decided otherwise).
  // With `index`, only of the pause that is the log's last event before it: the one that their maker saw.
  virtual Answer<Decided> decide(RunNumber run, std::vector<run::Decision> decisions, std::optional<std::uint64_t> index = std::nullopt) = 0;

  // Cancels what is live in a session, but background tasks whose spec leaves them alone (run::OnEnd), in one step. What it
  // cancelled, as that was before, in the order of launch.
  virtual aio::Task<std::vector<Run>> cancel_session(SessionNumber session) = 0;

  // Runs that have waited for an approval for longer than their spec says (run::Limits::approval_ms), at most a hundred.
  virtual aio::Task<std::vector<Run>> undecided(std::int64_t now_ms) = 0;

  // --- reading -----------------------------------------------------------------------------------------------------
  virtual Answer<Run> find_run(std::string run_id) = 0;
  // By exact id, else unique prefix, over run ids and session ids. Errc: not_found, ambiguous (message lists up to five).
  virtual Answer<Run> resolve_run(std::string id_or_prefix) = 0;
  virtual Answer<Session> resolve_session(std::string id_or_prefix) = 0;

  // The events from index `from` on, up to about kReadBytesMax; empty at the end of what is committed.
  virtual aio::Task<Slice> read(RunNumber run, std::uint64_t from) = 0;
  // The last line of a run's log, "" if there is none.
  virtual aio::Task<std::string> last_event(RunNumber run) = 0;
  virtual aio::Task<std::vector<Fact>> facts(RunNumber run) = 0;
  // Of one type and of all runs of the session, oldest first; the newest 10,000.
  virtual aio::Task<std::vector<Fact>> session_facts(SessionNumber session, std::string type) = 0;
  virtual Answer<Pause> pause_of(RunNumber run) = 0;  // Errc: not_found, conflict (not paused)
  virtual aio::Task<Page<Run>> list_runs(RunFilter filter) = 0;
  // The live ones, newest first, then those that have ended, last first.
  virtual aio::Task<std::vector<Run>> tasks(TaskFilter filter) = 0;
  // The runs whose logs are a run's past, in order, with the event index up to which each counts (max: all).
  struct Past {
    Run run;
    std::uint64_t until = UINT64_MAX;
  };
  virtual aio::Task<std::vector<Past>> history(SessionNumber session, std::int64_t through) = 0;
  virtual aio::Task<std::vector<Turn>> turns(SessionNumber session) = 0;

  // --- notices -----------------------------------------------------------------------------------------------------
  // Not told yet, oldest first. One is made in the transaction in which a launched task ends.
  virtual aio::Task<std::vector<Notice>> notices(SessionNumber session) = 0;
  // Them, and what else each model call is told, in one read: many runs that begin at once read nothing but this.
  virtual aio::Task<Surroundings> surroundings(SessionNumber session, std::optional<MemoryFilter> memory) = 0;
  // Nobody waits for a task any more: its end becomes news. False: it has ended, whoever asks may tell it himself.
  virtual aio::Task<bool> stop_awaiting(RunNumber task) = 0;
  // A task showed what was waited for; once for each detail.
  virtual aio::Task<> add_notice(Run task, std::string kind, std::string detail) = 0;
  // Sessions with a notice older than that, of whose agents no run is live: someone should tell them. That a task was cancelled
  // is told, but wakes nobody: whoever did it knows.
  virtual aio::Task<std::vector<Session>> sessions_to_wake(std::int64_t created_before_ms) = 0;

  // --- memory ------------------------------------------------------------------------------------------------------
  // What the agents of a session note. Once for each key: the entry that has it already is returned. A goal takes the place of
  // the one before. Errc: not_found (no such session), busy (it holds as many as it may).
  virtual Answer<run::MemoryEntry> add_memory(SessionNumber session, run::MemoryEntry entry, std::string key) = 0;
  // Errc: not_found, conflict (no todo).
  virtual Answer<run::MemoryEntry> change_memory(SessionNumber session, std::int64_t number, run::MemoryChange change) = 0;
  // One that was there and is gone is as good as forgotten; Errc::not_found: there never was one.
  virtual Answer<> forget_memory(SessionNumber session, std::int64_t number) = 0;
  // The goal, the todos as they were made, the facts newest first. The total counts all that fit the filter's words.
  virtual aio::Task<Page<run::MemoryEntry>> memory(SessionNumber session, MemoryFilter filter) = 0;

  // --- teams -------------------------------------------------------------------------------------------------------
  // An id that exists with the same name and members is that team. Errc::conflict: it is another's.
  virtual Answer<Team> create_team(Team team) = 0;
  // By id, else by name, else by a unique beginning of an id. Errc: not_found, ambiguous (message lists up to five).
  virtual Answer<Team> find_team(std::string which) = 0;
  virtual aio::Task<std::vector<Team>> list_teams() = 0;  // newest first, kTeamsListedMax at most
  // Once for each key: the message that has it already is returned. Errc: not_found, busy (the team has as many as it may).
  virtual Answer<run::TeamMail> send_mail(TeamNumber team, run::TeamMail mail, std::string key) = 0;
  // What the member has not read, oldest first, marked as read in the same step. The key of an earlier look gives what that took.
  virtual Answer<ReceivedMail> receive_mail(TeamNumber team, std::string member, MailPage page, std::string key) = 0;
  // All of it, oldest first, with who has read it.
  virtual aio::Task<std::vector<run::TeamMail>> team_mail(TeamNumber team) = 0;

  // --- assignments -------------------------------------------------------------------------------------------------
  // Errc::conflict: the slug or alias is taken.
  virtual Answer<Assignment> add_assignment(Assignment assignment) = 0;
  // By alias, else slug, else unique beginning of a slug; archived ones only by their whole slug. Errc: not_found, ambiguous
  // (message lists up to five).
  virtual Answer<Assignment> find_assignment(std::string which) = 0;
  // The one that a harness's session is bound to. Errc::not_found.
  virtual Answer<Assignment> assignment_of_session(std::string session_id) = 0;
  // By priority (high first), then the one that was changed last first.
  virtual aio::Task<std::vector<Assignment>> list_assignments(AssignmentFilter filter) = 0;
  // Takes the place of the one with its number, if that still has its version, and adds the entries to the history, in one
  // transaction; returns it as it is then. Errc: not_found, conflict (changed meanwhile: look again; or the alias is taken).
  virtual Answer<Assignment> change_assignment(Assignment changed, std::vector<AssignmentEntry> entries) = 0;
  virtual aio::Task<std::vector<AssignmentEntry>> assignment_history(AssignmentNumber number) = 0;  // oldest first

  // --- sessions ----------------------------------------------------------------------------------------------------
  virtual Answer<Session> find_session(std::string session_id) = 0;
  virtual aio::Task<Page<Session>> list_sessions(SessionFilter filter) = 0;
  // A fork begins with what its origin had noted by then. Errc::conflict: the id exists.
  virtual Answer<Session> create_session(Session session) = 0;
  virtual Answer<Session> change_session(std::string session_id, SessionChange change) = 0;
  // Deletes the session and its finished runs; live runs are cancelled and go with a later removal. False: unknown.
  // Background tasks whose spec says so (run::OnEnd) leave it in the same step and go on: into another session, or into a new
  // one of kind tool with the id `detached`. One of kind tool has no agent, so all of its tasks are cancelled.
  virtual aio::Task<bool> remove_session(std::string session_id, std::string detached) = 0;

  // --- keeping -----------------------------------------------------------------------------------------------------
  virtual Answer<> remove_run(RunNumber run) = 0;  // Errc::conflict while it is live
  // Declared retention: gives up the events of runs that ended before `ended_before_ms`; the runs stay listed.
  virtual aio::Task<std::int64_t> trim_events(std::int64_t ended_before_ms) = 0;

  // --- waking ------------------------------------------------------------------------------------------------------
  struct Listener {
    // After each commit of this process, and for others' commits. Pieces may come twice. An empty list means: look again,
    // something may have been missed.
    std::function<void(const std::vector<Growth>&)> grown;
    std::function<void()> control;  // something to decide: a cancel, a claimable run
  };
  // Io thread. Once more replaces the listener. Other processes' rings are heard from the first listener with `control` on, or the first
  // watch_log(true): to stop hearing takes a process milliseconds at its end, which one that only looks need not pay.
  virtual void listen(Listener listener) = 0;
  virtual void watch_log(bool on) = 0;

  // Ends the store's threads after what is queued is durable. Must be awaited before destruction.
  virtual aio::Task<> close() = 0;

  // --- looking at trees of runs --------------------------------------------------------------------------------------
  // All that a run has started, and what that has started, in the order of launch.
  virtual aio::Task<std::vector<Run>> descendants(RunNumber root, std::size_t limit) = 0;
  // What these runs have started themselves; `from` is the lowest number among them.
  virtual aio::Task<ChildrenOf> count_children(RunNumber from, std::unordered_set<std::string> parents) = 0;
  // Live ones first, newest first, then those that have ended, last first. The total counts those beyond the limits too.
  virtual aio::Task<Page<Run>> overview(OverviewFilter filter) = 0;
  // The processes that hold live runs.
  virtual aio::Task<std::vector<Holder>> holders() = 0;
  // Something to be kept with a run, beside its log, whoever executes it.
  virtual aio::Task<> add_fact(RunNumber run, std::string type, std::string data) = 0;
};

}  // namespace store
