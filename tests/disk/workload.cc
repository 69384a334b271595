#include "tests/disk/workload.h"

#include <unordered_map>

#include "base/error.h"
#include "sim/random.h"
#include "tests/disk/process.h"

namespace disk {

using run::Status;

namespace {

constexpr std::size_t kLargeTextBytes = 9'000;  // more than a page: SQLite chains it over several

// One process of the workload. Everything here runs on its io thread.
class Life {
 public:
  Life(const WorkloadOptions& options, int number, Disk& disk, Ledger& ledger)
      : options_(options),
        number_(number),
        disk_(disk),
        ledger_(ledger),
        random_(options.seed * 1000 + static_cast<std::uint64_t>(number)),
        process_(disk.directory()),
        store_(*process_.store) {
    store_.listen({.grown = [this](const std::vector<store::Growth>& growth) { shown(growth); }, .control = [] {}});
  }

  void play() {
    owner_ = process_.run(patiently([this] { return store_.register_owner(); }));
    std::vector<aio::Task<>> tasks;
    for (int executor = 0; executor < options_.executors; ++executor) tasks.push_back(execute(executor));
    tasks.push_back(look_around());
    process_.run_all(std::move(tasks));
  }

 private:
  template <class Ask>
  std::invoke_result_t<Ask> patiently(Ask ask) {
    for (;;) {
      try {
        co_return co_await ask();
      } catch (const base::Broken& error) {
        if (!options_.broken) throw;
        options_.broken(error.what());
      }
    }
  }

  aio::Task<> execute(int executor) {
    ++executing_;
    for (int i = 0; i < options_.runs; ++i) {
      auto& story = ledger_.stories.emplace_back();
      story.run_id = std::to_string(options_.seed) + "-" + std::to_string(number_) + "-" + std::to_string(executor) + "-" +
                     std::to_string(i);
      story.key = "key " + story.run_id;
      story.session_id = "session " + std::to_string(executor);
      co_await launch(story);
      co_await execute_run(story);
      co_await keep_house(story);
    }
    --executing_;
  }

  aio::Task<> launch(Story& story) {
    if (random_.chance(100)) {
      co_await patiently([&] { return store_.request_cancel(story.run_id + " later"); });
      ledger_.intents[story.run_id + " later"].set(disk_.now(), true);
    }
    store::Launch launch;
    launch.run_id = story.run_id;
    launch.component_id = "main";
    launch.session_id = story.session_id;
    launch.launch_key = story.key;
    launch.request_digest = "d";
    launch.spec = "{}";
    launch.claim_for = owner_;
    launch.first_events = write_lines(story, 2, 40);
    launch.first_event_count = 2;
    launch.now_ms = process_.time.wall_ms();
    story.launch_asked.set(disk_.now(), true);
    story.events_asked.set(disk_.now(), story.ends.size());
    const auto launched = co_await patiently([&] { return store_.launch(launch); });
    story.launched.set(disk_.now(), true);
    story.events_acknowledged.set(disk_.now(), story.ends.size());
    story.run = launched.run.number;
    story.epoch = launched.run.epoch;
    by_number_[story.run] = &story;
  }

  aio::Task<> execute_run(Story& story) {
    const auto batches = random_.between(1, options_.batches);
    const auto fate = random_.below(10);  // 0: left alive, 1: cancelled, else completed or failed
    for (int i = 0; i < batches; ++i) co_await append(story, Status::pending);
    if (fate == 0) co_return;
    if (fate == 1) {
      co_await patiently([&] { return store_.request_cancel(story.run_id); });
      story.cancelled.set(disk_.now(), true);
    }
    co_await append(story, fate == 1 ? Status::cancelled : fate == 2 ? Status::error : Status::completed);
  }

  aio::Task<> append(Story& story, Status end) {
    store::Append append;
    append.run = story.run;
    append.epoch = story.epoch;
    append.first = story.ends.size();
    append.count = static_cast<std::uint32_t>(random_.chance(600) ? 1 : random_.between(2, 12));
    append.lines = write_lines(story, append.count,
                               random_.chance(30) ? kLargeTextBytes : static_cast<std::size_t>(random_.between(1, 400)));
    const auto facts = story.facts_acknowledged.at(disk_.now());
    const bool with_fact = random_.chance(100);
    if (with_fact) append.facts.push_back({.at_ms = 1, .epoch = story.epoch, .type = "a_fact", .data = "{}"});
    append.now_ms = process_.time.wall_ms();
    if (run::is_terminal(end)) {
      append.status = end;
      append.reason = "r";
      story.end_asked.set(disk_.now(), end);
    }
    story.events_asked.set(disk_.now(), story.ends.size());
    const auto done = co_await patiently([&] { return store_.append(append); });
    if (!done) throw base::Broken("an append of the workload was refused: " + done.error().message);
    story.events_acknowledged.set(disk_.now(), story.ends.size());
    if (with_fact) story.facts_acknowledged.set(disk_.now(), facts + 1);
    if (run::is_terminal(end)) story.ended.set(disk_.now(), end);
  }

  // What is done about runs that are over, and about sessions.
  aio::Task<> keep_house(Story& story) {
    if (random_.chance(300)) {
      const auto state = "{\"of\":\"" + story.run_id + "\"}";
      ledger_.states_asked[story.session_id].set(disk_.now(), state);
      const auto changed = co_await patiently([&] { return store_.change_session(story.session_id, {.state = state}); });
      if (changed) ledger_.states[story.session_id].set(disk_.now(), state);
    }
    if (run::is_terminal(story.ended.at(disk_.now())) && random_.chance(200)) {
      story.removal_asked.set(disk_.now(), true);
      const auto removed = co_await patiently([&] { return store_.remove_run(story.run); });
      if (removed) story.removed.set(disk_.now(), true);
    }
  }

  // A reader on its own connection: what it was given it may keep.
  aio::Task<> look_around() {
    while (executing_ > 0) {
      co_await process_.time.sleep(std::chrono::milliseconds(1));
      if (ledger_.stories.empty()) continue;
      auto& story = ledger_.stories[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(ledger_.stories.size())))];
      if (!story.run) continue;
      const auto slice = co_await patiently([&] { return store_.read(story.run, story.events_shown.at(disk_.now())); });
      if (slice.count) saw(story, slice.end());
    }
  }

  void shown(const std::vector<store::Growth>& growth) {
    for (const auto& piece : growth)
      if (const auto at = by_number_.find(piece.run); at != by_number_.end()) saw(*at->second, piece.slice.end());
  }

  void saw(Story& story, std::uint64_t events) {
    if (const auto now = disk_.now(); events > story.events_shown.at(now)) story.events_shown.set(now, events);
  }

  const WorkloadOptions& options_;
  const int number_;
  Disk& disk_;
  Ledger& ledger_;
  sim::Random random_;
  store::OwnerNumber owner_ = 0;
  int executing_ = 0;
  std::unordered_map<store::RunNumber, Story*> by_number_;
  Process process_;  // its store tells of commits until it is closed
  store::Store& store_;
};

}  // namespace

void play(const WorkloadOptions& options, Disk& disk, Ledger& ledger) {
  for (int number = 0; number < options.lives; ++number) {
    std::unique_ptr<Life> life;
    while (!life) {
      try {
        life = std::make_unique<Life>(options, number, disk, ledger);
      } catch (const base::Broken& error) {
        if (!options.broken) throw;
        options.broken(error.what());
      }
    }
    life->play();
  }
}

}  // namespace disk
