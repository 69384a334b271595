#pragma once
// The log of one run under one lease, for writing. Events are buffered and appended by one pump, several to a commit; a
// broken disk holds the run back until it works again.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aio/notifier.h"
#include "aio/task_group.h"
#include "aio/time.h"
#include "engine/counters.h"
#include "run/agent.h"
#include "store/store.h"

namespace engine {

class RunLog {
 public:
  // Told of each event as soon as it counts: the owner's fold.
  using Fold = std::function<void(const run::Event&)>;
  // All references must outlive the log. `next_index`: of the first event that it will add.
  RunLog(boost::asio::io_context& io, aio::Time& time, store::Store& store, Counters& counters, aio::TaskGroup& tasks, const store::Run& run,
         std::uint64_t next_index, Fold fold);

  // Adds an event: folded at once, durable soon. Io thread.
  // `output`: as in run::Event.
  void add(run::Payload payload, std::uint64_t output = 0);
  // The event after it tells of these tasks' ends (store::Append::told_tasks).
  void tells(const std::vector<std::string>& tasks);
  void add_text(std::string_view delta);
  void add_fact(std::string type, std::string data);

  // Waits while more than the bound is not yet durable.
  aio::Task<> room();
  // Waits until everything added is durable. Errc::lease_lost, already_finished: stop executing.
  aio::Task<base::Result<>> flush();
  // What is added from now on is kept back until release(), flush() or end(): to be committed with, or after, something else.
  void hold() { held_ = true; }
  void release();
  // Appends events that the store may refuse (they change the run's status, or tell notices), all in one transaction, after
  // everything added before, and with what of that no commit has taken yet: when they are refused, that stays. They are folded
  // only when the store took them. Errc as above, cancel_requested, and conflict: a notice has been told already.
  aio::Task<base::Result<>> end(const run::AppendEvents& events);

  // Set when the store refused an append: this process no longer executes the run.
  const std::optional<base::Error>& failure() const { return failure_; }
  // Called once when that happens.
  void on_failure(std::function<void()> callback) { on_failure_ = std::move(callback); }

 private:
  void added(std::size_t bytes_before);
  // Takes what was added.
  store::Append next_append();
  void begin_pump();
  aio::Task<> pump();
  aio::Task<> rest();
  void failed(base::Error error);
  aio::Task<base::Result<>> append_until_done(store::Append append);

  aio::Time& time_;
  store::Store& store_;
  Counters& counters_;
  aio::TaskGroup& tasks_;
  const store::RunNumber run_;
  const std::int64_t epoch_;
  const Fold fold_;

  std::string lines_;                  // not yet handed to the store
  std::uint32_t count_ = 0;
  std::uint64_t first_ = 0;            // index of the first of them
  std::vector<store::Fact> facts_;
  std::vector<std::string> told_tasks_;
  bool pumping_ = false, held_ = false;
  bool appending_ = false;  // one append at a time is with the store
  std::optional<base::Error> failure_;
  std::function<void()> on_failure_;
  aio::Notifier drained_;
};

}  // namespace engine
