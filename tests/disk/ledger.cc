#include "tests/disk/ledger.h"

#include <unordered_map>

#include "base/error.h"
#include "run/event.h"
#include "sim/random.h"
#include "store/sqlite/database.h"
#include "tests/disk/process.h"

namespace disk {

using run::Status;

namespace {

// What is on disk after a cut, against what was promised before it. Each look returns what is wrong, "" if nothing is.
class Inspection {
 public:
  Inspection(const Ledger& ledger, Position cut, const std::string& home, std::uint64_t seed)
      : ledger_(ledger), cut_(cut), random_(seed), process_(home) {}

  std::string look() {
    read_everything();
    for (const auto& story : ledger_.stories)
      if (auto wrong = look_at(story); !wrong.empty()) return "run " + story.run_id + ": " + wrong;
    for (const auto& [id, state] : ledger_.states)
      if (auto wrong = look_at_session(id, state.at(cut_)); !wrong.empty()) return "session " + id + ": " + wrong;
    for (const auto& [id, intent] : ledger_.intents)
      if (intent.at(cut_) && !launch(id, "", "later").run.cancel_requested) return "the cancel of " + id + " is forgotten";
    return go_on();
  }

 private:
  // What is there of one run.
  struct Found {
    store::Run run;
    std::string log, wrong;
    std::size_t facts = 0;
  };

  // All runs at once: the connections that read have work while this thread waits.
  void read_everything() {
    for (auto& run : process_.run(process_.store->list_runs({.limit = 10'000})).items) runs_[run.run_id].run = std::move(run);
    std::vector<aio::Task<>> tasks;
    for (auto& [id, found] : runs_) tasks.push_back(read(found));
    process_.run_all(std::move(tasks));
  }

  aio::Task<> read(Found& found) {
    std::uint64_t count = 0;
    while (count < found.run.event_count && found.wrong.empty()) {
      const auto slice = co_await process_.store->read(found.run.number, count);
      if (slice.first != count || !slice.count) found.wrong = "a hole at or after event " + std::to_string(count);
      found.log += *slice.lines;
      count = slice.end();
    }
    if (count > found.run.event_count) found.wrong = "its log is longer than its count of events";
    const auto facts = co_await process_.store->facts(found.run.number);
    found.facts = facts.size();
  }

  std::string look_at(const Story& story) {
    const auto at = runs_.find(story.run_id);
    if (at == runs_.end()) {
      if (story.removal_asked.at(cut_) || !story.launched.at(cut_)) return {};
      return "acknowledged, and not there";
    }
    const auto& found = at->second;
    if (!found.wrong.empty()) return found.wrong;
    if (random_.chance(50) && !process_.run(process_.store->find_run(story.run_id))) return "listed, and not found";
    if (!story.launch_asked.at(cut_)) return "there before anybody asked for it";
    if (story.removed.at(cut_)) return "removed, and there again";
    if (auto wrong = look_at_log(story, found); !wrong.empty()) return wrong;
    if (auto wrong = look_at_status(story, found.run); !wrong.empty()) return wrong;
    if (found.facts < story.facts_acknowledged.at(cut_)) return "a fact is missing";
    if (!story.removal_asked.at(cut_) && story.launched.at(cut_) && random_.chance(50)) {
      const auto again = launch("another-id", story.key, story.session_id);
      if (again.known != store::Known::retry || again.run.run_id != story.run_id) return "its key is forgotten";
    }
    return {};
  }

  std::string look_at_log(const Story& story, const Found& found) {
    const auto count = found.run.event_count;
    if (count < story.events_acknowledged.at(cut_)) return missing("acknowledged", count, story.events_acknowledged.at(cut_));
    if (count < story.events_shown.at(cut_)) return missing("shown", count, story.events_shown.at(cut_));
    if (count > story.events_asked.at(cut_)) return "it has more events than were ever appended";
    if (found.log != std::string_view(story.log).substr(0, story.bytes(count))) return "its events are not what was appended";
    return {};
  }

  static std::string missing(const char* how, std::uint64_t count, std::uint64_t promised) {
    return std::to_string(count) + " events, but " + std::to_string(promised) + " were " + how;
  }

  std::string look_at_status(const Story& story, const store::Run& found) {
    const auto ended = story.ended.at(cut_), asked = story.end_asked.at(cut_);
    const bool over = run::is_terminal(found.status);
    if (run::is_terminal(ended) && found.status != ended) return "its end is lost";
    if (over && found.status != asked) return "it has an end that nobody asked for";
    if (over && found.event_count != story.ends.size()) return "it has ended without its last event";
    if (story.cancelled.at(cut_) && !found.cancel_requested) return "its cancel is lost";
    if (over && random_.chance(50)) {
      const auto refused = append(found, found.epoch);
      if (refused || refused.error().code != base::Errc::already_finished) return "it takes events after its end";
    }
    return {};
  }

  std::string look_at_session(const std::string& id, const std::string& state) {
    if (state.empty()) return {};
    const auto found = process_.run(process_.store->find_session(id));
    if (!found) return "acknowledged, and not there";
    if (found->state != state && found->state != ledger_.states_asked.at(id).at(cut_)) return "its state is lost";
    return {};
  }

  // A store that holds everything and takes nothing more would be of no use.
  std::string go_on() {
    auto& store = *process_.store;
    const auto owner = process_.run(store.register_owner());
    auto live = process_.run(store.list_runs({.live_only = true, .limit = 1})).items;
    if (live.empty()) live.push_back(launch("", "", "afterwards").run);
    const auto lease = process_.run(store.claim(live[0].number, owner, live[0].owner));
    if (!lease) return "run " + live[0].run_id + " cannot be claimed: " + lease.error().message;
    if (const auto done = append(lease->run, lease->run.epoch); !done) return "an append is refused: " + done.error().message;
    if (process_.run(store.find_run(live[0].run_id))->event_count != live[0].event_count + 1) return "an append is not there";
    return {};
  }

  store::Launched launch(std::string id, std::string key, std::string session) {
    store::Launch launch;
    launch.id_is_callers = !id.empty();
    launch.run_id = id.empty() ? "new-" + std::to_string(cut_) : std::move(id);
    launch.component_id = "main";
    launch.session_id = std::move(session);
    launch.launch_key = std::move(key);
    launch.request_digest = "d";
    launch.spec = "{}";
    launch.now_ms = 1;
    return process_.run(process_.store->launch(std::move(launch)));
  }

  base::Result<> append(const store::Run& run, std::int64_t epoch) {
    store::Append append;
    append.run = run.number;
    append.epoch = epoch;
    append.first = run.event_count;
    append.lines = "{}\n";
    append.count = 1;
    return process_.run(process_.store->append(std::move(append)));
  }

  const Ledger& ledger_;
  const Position cut_;
  sim::Random random_;
  Process process_;
  std::unordered_map<std::string, Found> runs_;  // all that are there
};

std::string damage(const std::string& home) {
  store::sqlite::Database db(home + "/outlast.db", store::sqlite::OpenMode::read_only);
  auto check = db.query("PRAGMA quick_check");
  if (!check.step()) return "SQLite cannot check it";
  return check.bytes(0) == "ok" ? "" : "SQLite finds it damaged: " + check.text(0);
}

}  // namespace

std::string write_lines(Story& story, std::uint32_t count, std::size_t text_bytes) {
  std::string lines;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto index = story.ends.size();
    auto text = story.run_id + " event " + std::to_string(index) + " ";
    text.resize(std::max(text.size(), text_bytes), static_cast<char>('a' + index % 26));
    const auto before = lines.size();
    run::append_text_delta(lines, static_cast<std::int64_t>(index), text);
    lines += '\n';
    story.ends.push_back(story.log.size() + lines.size() - before);
    story.log.append(lines, before);
  }
  return lines;
}

std::string violation_of(const Ledger& ledger, Position cut, const std::string& home, std::uint64_t seed) {
  try {
    auto wrong = Inspection(ledger, cut, home, seed).look();
    return wrong.empty() ? damage(home) : wrong;
  } catch (const base::Broken& error) {
    return std::string("the store is broken: ") + error.what();
  }
}

}  // namespace disk
