#include "store/sqlite_store.h"

#include "aio/task_group.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/sqlite/assignments.h"
#include "store/sqlite/decisions.h"
#include "store/sqlite/file_backend.h"
#include "store/sqlite/home.h"
#include "store/sqlite/memory_writes.h"
#include "store/sqlite/notice_writes.h"
#include "store/sqlite/reads.h"
#include "store/sqlite/run_tree.h"
#include "store/sqlite/run_writes.h"
#include "store/sqlite/session_tasks.h"
#include "store/sqlite/session_writes.h"
#include "store/sqlite/surroundings.h"
#include "store/sqlite/teams.h"
#include "store/sqlite/turns.h"

namespace store {

namespace {

namespace limits = base::limits;
using sqlite::Commit;
using sqlite::Database;

class SqliteStore final : public Store {
 public:
  SqliteStore(boost::asio::io_context& io, aio::Time& time, Peers peers, std::unique_ptr<sqlite::Backend> backend)
      : time_(time),
        peers_(std::move(peers)),
        backend_(std::move(backend)),
        readers_(backend_->reads()),
        tasks_(io, [](const std::string& name, const std::string& what) {
          base::log::error("a task of the store failed", {{"task", name}, {"reason", what}});
        }) {
    backend_->listen([this](const Commit& commit) { tell(commit); });
  }

  aio::Task<OwnerNumber> register_owner() override {
    const auto now = time_.wall_ms();
    owner_ =
        co_await writer().execute([this, now](Database& db, Commit&) { return sqlite::insert_owner(db, peers_.self(), now); });
    backend_->set_owner(owner_);
    co_return owner_;
  }

  aio::Task<Launched> launch(Launch launch) override {
    const auto bytes = launch.first_events.size() + launch.spec.size();
    auto launched = co_await writer().execute(
        [&launch](Database& db, Commit& commit) {
          sqlite::follow_parent(db, launch);
          return sqlite::launch_run(db, commit, launch);
        },
        bytes);
    if (!launched) throw base::Broken(launched.error().message);
    co_return std::move(*launched);
  }

  Answer<Lease> claim(RunNumber run, OwnerNumber claimant, OwnerNumber from) override {
    auto lease = co_await writer().execute([this, run, claimant, from](Database& db, Commit& commit) {
      return sqlite::claim_run(db, commit, run, claimant, from, peers_, time_.wall_ms());
    });
    if (lease) base::failpoint("claim.after_commit");
    co_return lease;
  }

  aio::Task<> release(RunNumber run, std::int64_t epoch, std::string reason) override {
    co_await writer().execute([this, run, epoch, &reason](Database& db, Commit& commit) {
      sqlite::release_run(db, commit, run, epoch, reason, time_.wall_ms());
      return true;
    });
  }

  Answer<> append(Append append) override {
    const auto lines = std::make_shared<const std::string>(std::move(append.lines));
    const auto write = [&](Database& db, Commit& commit) { return sqlite::append_events(db, commit, append, lines); };
    co_return co_await writer().execute(write, lines->size());
  }

  aio::Task<std::vector<Run>> orphans(std::size_t limit, Orphans which) override {
    co_return co_await readers_.read([&](Database& db) { return sqlite::select_orphans(db, peers_, limit, which, time_.wall_ms()); });
  }

  aio::Task<std::vector<RunNumber>> cancelled_of(OwnerNumber owner) override {
    co_return co_await readers_.read([owner](Database& db) { return sqlite::select_cancelled(db, owner); });
  }

  aio::Task<CancelAnswer> request_cancel(std::string run_id) override {
    co_return co_await writer().execute([&](Database& db, Commit& commit) { return sqlite::cancel_run(db, commit, run_id, time_.wall_ms()); });
  }

  Answer<Decided> decide(RunNumber run, std::vector<run::Decision> decisions, std::optional<std::uint64_t> index) override {
    co_return co_await writer().execute([this, run, &decisions, index](Database& db, Commit& commit) {
      return sqlite::decide_calls(db, commit, run, decisions, index, time_.wall_ms());
    });
  }
  aio::Task<> add_fact(RunNumber run, std::string type, std::string data) override {
    co_await writer().execute([this, run, &type, &data](Database& db, Commit&) {
      sqlite::insert_fact(db, run, type, data, time_.wall_ms());
      return true;
    });
  }
  aio::Task<std::vector<Run>> cancel_session(SessionNumber session) override {
    co_return co_await writer().execute([session](Database& db, Commit& commit) { return sqlite::cancel_session(db, commit, session); });
  }
  aio::Task<std::vector<Run>> undecided(std::int64_t now_ms) override {
    co_return co_await readers_.read([now_ms](Database& db) { return sqlite::select_undecided(db, now_ms); });
  }

  Answer<Run> find_run(std::string run_id) override {
    co_return co_await readers_.read([&run_id](Database& db) { return sqlite::select_run(db, run_id); });
  }
  Answer<Run> resolve_run(std::string id) override {
    co_return co_await readers_.read([&id](Database& db) { return sqlite::select_run_by_prefix(db, id); });
  }
  Answer<Session> resolve_session(std::string id) override {
    co_return co_await readers_.read([&id](Database& db) { return sqlite::select_session_by_prefix(db, id); });
  }
  aio::Task<Slice> read(RunNumber run, std::uint64_t from) override {
    co_return co_await readers_.read([run, from](Database& db) { return sqlite::select_events(db, run, from); });
  }
  aio::Task<std::string> last_event(RunNumber run) override {
    co_return co_await readers_.read([run](Database& db) { return sqlite::select_last_event(db, run); });
  }
  aio::Task<std::vector<Fact>> session_facts(SessionNumber session, std::string type) override {
    co_return co_await readers_.read([session, type](Database& db) { return sqlite::select_session_facts(db, session, type); });
  }
  aio::Task<std::vector<Fact>> facts(RunNumber run) override {
    co_return co_await readers_.read([run](Database& db) { return sqlite::select_facts(db, run); });
  }
  Answer<Pause> pause_of(RunNumber run) override {
    co_return co_await readers_.read([run](Database& db) { return sqlite::select_pause(db, run); });
  }
  aio::Task<Page<Run>> list_runs(RunFilter filter) override {
    co_return co_await readers_.read([&filter](Database& db) { return sqlite::select_runs(db, filter); });
  }
  aio::Task<std::vector<Run>> tasks(TaskFilter filter) override {
    co_return co_await readers_.read([&filter](Database& db) { return sqlite::select_tasks(db, filter); });
  }
  aio::Task<std::vector<Run>> descendants(RunNumber root, std::size_t limit) override {
    co_return co_await readers_.read([root, limit](Database& db) { return sqlite::select_descendants(db, root, limit); });
  }
  aio::Task<ChildrenOf> count_children(RunNumber from, std::unordered_set<std::string> parents) override {
    co_return co_await readers_.read([from, &parents](Database& db) { return sqlite::select_child_counts(db, from, parents); });
  }
  aio::Task<Page<Run>> overview(OverviewFilter filter) override {
    co_return co_await readers_.read([&filter](Database& db) { return sqlite::select_overview(db, filter); });
  }
  aio::Task<std::vector<Holder>> holders() override {
    co_return co_await readers_.read([this](Database& db) { return sqlite::select_holders(db, peers_, time_.wall_ms()); });
  }
  aio::Task<std::vector<Past>> history(SessionNumber session, std::int64_t through) override {
    co_return co_await readers_.read([session, through](Database& db) { return sqlite::select_history(db, session, through); });
  }
  aio::Task<std::vector<Turn>> turns(SessionNumber session) override {
    co_return co_await readers_.read([session](Database& db) { return sqlite::select_turns(db, session); });
  }

  aio::Task<std::vector<Notice>> notices(SessionNumber session) override {
    co_return co_await readers_.read([session](Database& db) { return sqlite::select_notices(db, session); });
  }
  aio::Task<Surroundings> surroundings(SessionNumber session, std::optional<MemoryFilter> memory) override {
    co_return co_await readers_.read([session, &memory](Database& db) { return sqlite::select_surroundings(db, session, memory); });
  }
  aio::Task<bool> stop_awaiting(RunNumber task) override {
    co_return co_await writer().execute([task](Database& db, Commit&) { return sqlite::stop_awaiting(db, task); });
  }
  aio::Task<> add_notice(Run task, std::string kind, std::string detail) override {
    co_await writer().execute([this, &task, &kind, &detail](Database& db, Commit& commit) {
      sqlite::insert_notice(db, commit, task, kind, detail, time_.wall_ms());
      return true;
    });
  }
  aio::Task<std::vector<Session>> sessions_to_wake(std::int64_t created_before_ms) override {
    co_return co_await readers_.read([created_before_ms](Database& db) { return sqlite::select_sessions_to_wake(db, created_before_ms); });
  }

  Answer<run::MemoryEntry> add_memory(SessionNumber session, run::MemoryEntry entry, std::string key) override {
    const auto write = [&](Database& db, Commit&) { return sqlite::insert_memory(db, session, entry, key, time_.wall_ms()); };
    co_return co_await writer().execute(write, entry.content.size());
  }
  Answer<run::MemoryEntry> change_memory(SessionNumber session, std::int64_t number, run::MemoryChange change) override {
    const auto write = [&](Database& db, Commit&) { return sqlite::update_memory(db, session, number, change, time_.wall_ms()); };
    co_return co_await writer().execute(write);
  }
  Answer<> forget_memory(SessionNumber session, std::int64_t number) override {
    co_return co_await writer().execute([&](Database& db, Commit&) { return sqlite::delete_memory(db, session, number); });
  }
  aio::Task<Page<run::MemoryEntry>> memory(SessionNumber session, MemoryFilter filter) override {
    co_return co_await readers_.read([session, &filter](Database& db) { return sqlite::select_memory(db, session, filter); });
  }

  Answer<Assignment> add_assignment(Assignment a) override {
    co_return co_await writer().execute([&](Database& db, Commit&) { return sqlite::insert_assignment(db, a, time_.wall_ms()); });
  }
  Answer<Assignment> find_assignment(std::string which) override {
    co_return co_await readers_.read([&which](Database& db) { return sqlite::select_assignment(db, which); });
  }
  Answer<Assignment> assignment_of_session(std::string session_id) override {
    co_return co_await readers_.read([&session_id](Database& db) { return sqlite::select_assignment_of(db, session_id); });
  }
  aio::Task<std::vector<Assignment>> list_assignments(AssignmentFilter filter) override {
    co_return co_await readers_.read([&filter](Database& db) { return sqlite::select_assignments(db, filter); });
  }
  Answer<Assignment> change_assignment(Assignment changed, std::vector<AssignmentEntry> entries) override {
    co_return co_await writer().execute([&](Database& db, Commit&) { return sqlite::update_assignment(db, changed, entries, time_.wall_ms()); });
  }
  aio::Task<std::vector<AssignmentEntry>> assignment_history(AssignmentNumber number) override {
    co_return co_await readers_.read([number](Database& db) { return sqlite::select_assignment_entries(db, number); });
  }

  Answer<Team> create_team(Team team) override {
    co_return co_await writer().execute([&](Database& db, Commit&) { return sqlite::insert_team(db, team, time_.wall_ms()); });
  }
  Answer<Team> find_team(std::string which) override {
    co_return co_await readers_.read([&which](Database& db) { return sqlite::select_team(db, which); });
  }
  aio::Task<std::vector<Team>> list_teams() override { co_return co_await readers_.read(sqlite::select_teams); }
  Answer<run::TeamMail> send_mail(TeamNumber team, run::TeamMail mail, std::string key) override {
    const auto write = [&](Database& db, Commit&) { return sqlite::insert_mail(db, team, mail, key, time_.wall_ms()); };
    co_return co_await writer().execute(write, mail.content.size());
  }
  Answer<ReceivedMail> receive_mail(TeamNumber team, std::string member, MailPage page, std::string key) override {
    const auto take = [&](Database& db, Commit&) { return sqlite::take_mail(db, team, member, page, key, time_.wall_ms()); };
    co_return co_await writer().execute(take);
  }
  aio::Task<std::vector<run::TeamMail>> team_mail(TeamNumber team) override {
    co_return co_await readers_.read([team](Database& db) { return sqlite::select_mails(db, team); });
  }

  Answer<Session> find_session(std::string session_id) override {
    co_return co_await readers_.read([&session_id](Database& db) { return sqlite::select_session(db, session_id); });
  }
  aio::Task<Page<Session>> list_sessions(SessionFilter filter) override {
    co_return co_await readers_.read([&filter](Database& db) { return sqlite::select_sessions(db, filter); });
  }
  Answer<Session> create_session(Session session) override {
    co_return co_await writer().execute([&session](Database& db, Commit&) { return sqlite::insert_session(db, session); });
  }
  Answer<Session> change_session(std::string session_id, SessionChange change) override {
    const auto write = [&](Database& db, Commit&) { return sqlite::update_session(db, session_id, change, time_.wall_ms()); };
    co_return co_await writer().execute(write);
  }
  aio::Task<bool> remove_session(std::string session_id, std::string detached) override {
    const auto remove = [&](Database& db, Commit& commit) { return sqlite::delete_session(db, commit, session_id, detached, time_.wall_ms()); };
    co_return co_await writer().execute(remove);
  }

  Answer<> remove_run(RunNumber run) override {
    co_return co_await writer().execute([run](Database& db, Commit&) { return sqlite::remove_finished_run(db, run); });
  }
  aio::Task<std::int64_t> trim_events(std::int64_t ended_before_ms) override {
    co_return co_await writer().execute([&](Database& db, Commit&) { return sqlite::trim_finished_events(db, ended_before_ms); });
  }

  void listen(Listener listener) override {
    listener_ = std::move(listener);
    if (listener_.control) begin_to_hear();
  }

  void watch_log(bool on) override {
    if (watching_ == on) return;
    watching_ = on;
    ++watch_;
    if (!on) return;
    begin_to_hear();
    tasks_.spawn("log watch", follow_others(watch_));
  }

  aio::Task<> close() override {
    watching_ = false;
    tasks_.close();
    tasks_.cancel();
    co_await tasks_.join();
    co_await backend_->close();
  }

 private:
  sqlite::WriteQueue& writer() { return backend_->writes(); }

  void tell(const Commit& commit) {
    // Our own commit follows what we know without a gap unless another process committed in between.
    if (commit.block_last) {
      if (commit.block_first == known_block_ + 1)
        known_block_ = commit.block_last;
      else if (watching_)
        tasks_.spawn("log scan", scan());
    }
    if (!commit.growth.empty() && listener_.grown) listener_.grown(commit.growth);
    if (commit.control && listener_.control) listener_.control();
  }

  void begin_to_hear() {
    if (!std::exchange(hears_, true)) tasks_.spawn("bells", hear_bells());
  }

  aio::Task<> hear_bells() {
    for (;;) {
      const auto rung = co_await backend_->rung();
      if (rung.control && listener_.control) listener_.control();
      if (rung.log && watching_ && backend_->last_block_rung() > known_block_) co_await scan_anyway();
    }
  }

  // The net below a lost ring, and the first look at what was there before.
  // Ends with the watch that it was made for, though another may have begun meanwhile.
  aio::Task<> follow_others(std::uint64_t watch) {
    known_block_ = co_await last_block();
    if (listener_.grown) listener_.grown({});  // what came between a reader's first look and this one is told by nobody else
    for (;;) {
      co_await time_.sleep(std::chrono::milliseconds(limits::kTailPollMs));
      if (watch != watch_) co_return;
      co_await scan_anyway();
    }
  }

  aio::Task<std::int64_t> last_block() {
    for (;; co_await time_.sleep(std::chrono::milliseconds(limits::kTailPollMs))) {
      try {
        co_return co_await readers_.read([](Database& db) { return sqlite::select_last_block(db); });
      } catch (const base::Broken& error) {
        base::log::error("the log's head could not be read", {{"reason", error.what()}});
      }
    }
  }

  // The loops that wake readers outlive a broken disk.
  aio::Task<> scan_anyway() {
    try {
      co_await scan();
    } catch (const base::Broken& error) {
      base::log::error("what other processes appended could not be read", {{"reason", error.what()}});
    }
  }

  // One at a time; a ring during a scan is answered by another round.
  aio::Task<> scan() {
    scan_again_ = true;
    if (scanning_) co_return;
    scanning_ = true;
    struct Done {
      bool& flag;
      ~Done() { flag = false; }
    } done{scanning_};
    while (std::exchange(scan_again_, false)) {
      const auto after = known_block_;
      std::int64_t last = after;
      const auto growth = co_await readers_.read([after, &last](Database& db) { return sqlite::select_growth(db, after, last); });
      known_block_ = std::max(known_block_, last);
      if (!growth.empty()) scan_again_ = true;
      if (!growth.empty() && listener_.grown) listener_.grown(growth);
    }
  }

  // constant after construction
  aio::Time& time_;
  const Peers peers_;
  const std::unique_ptr<sqlite::Backend> backend_;
  sqlite::Readers& readers_;

  // io thread only
  OwnerNumber owner_ = 0;
  Listener listener_;
  bool hears_ = false, watching_ = false, scanning_ = false, scan_again_ = false;
  std::uint64_t watch_ = 0;       // counts the times that watching was turned on or off
  std::int64_t known_block_ = 0;  // every block up to this one has been told
  aio::TaskGroup tasks_;
};

}  // namespace

std::unique_ptr<Store> make_sqlite_store(boost::asio::io_context& io, aio::Time& time, Peers peers,
                                         std::unique_ptr<sqlite::Backend> backend) {
  return std::make_unique<SqliteStore>(io, time, std::move(peers), std::move(backend));
}

base::Result<std::unique_ptr<Store>> open_sqlite_store(boost::asio::io_context& io, aio::Time& time, SqliteStoreOptions options) {
  try {
    if (const auto ec = sqlite::prepare_home(options.home))
      return base::fail(base::Errc::unavailable,
                        "cannot write in " + options.home + ": " + ec.message() + "; set OUTLAST_HOME to a writable directory");
    sqlite::prepare_database(options.home);
    return make_sqlite_store(io, time, {this_process(), process_start_time},
                             std::make_unique<sqlite::FileBackend>(io, time, options.home));
  } catch (const sqlite::Damaged& error) {
    return base::fail(base::Errc::unavailable,
                      std::string(error.what()) + "; move it away together with its -wal file, or put a copy of both back");
  } catch (const base::Broken& error) {
    return base::fail(base::Errc::unavailable, error.what());
  }
}

}  // namespace store
