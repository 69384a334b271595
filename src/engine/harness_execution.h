#pragma once
// Turns of a coding-agent program under way: its processes are started, fed, watched and ended, and what they say becomes the run's
// log. Whoever takes the run over finds the process, or begins another that goes on with the session.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/execution.h"
#include "engine/harness_process.h"
#include "engine/run_log.h"
#include "run/harness.h"

namespace engine {

// The run as its log says, up to an index.
aio::Task<run::HarnessState> fold_harness(store::Store& store, const store::Run& run, std::uint64_t until = UINT64_MAX);

class HarnessExecution final : public Execution {
 public:
  HarnessExecution(Deps& deps, aio::TaskGroup& tasks, Executor& executor, store::Lease lease);

  aio::Task<Ending> run() override;
  aio::Task<> fail(std::string what) override;
  void cancel() override;
  void hand_over() override;
  void stop_after_step() override { hand_over(); }
  bool released() const override { return released_; }
  const store::Run& row() const override { return lease_.run; }

 private:
  aio::Task<Ending> loop();
  // False: the run is no longer ours.
  aio::Task<bool> perform(run::HarnessAction action);
  aio::Task<bool> append(const run::AppendEvents& events);
  aio::Task<run::HarnessSituation> look();
  aio::Task<std::int64_t> count_ahead();
  std::vector<run::ToolCall> undecided() const;

  // Gives it what it has not been given, and takes what it has said; comes back when there may be something to decide.
  aio::Task<> follow();
  aio::Task<> find_session();
  aio::Task<> take_output();
  aio::Task<> name_session();
  void note(const harness::Told& told);
  void put(const std::string& key, std::string line);
  void hear_prompt();
  aio::Task<> give_input();
  aio::Task<> end_process(std::string why);
  aio::Task<> record_end(std::string why);
  std::string overdue() const;
  aio::Task<> check();
  aio::Task<> tell(const run::AppendEvents& events);
  std::unique_ptr<RunLog> open_log();

  Deps& deps_;
  aio::TaskGroup& tasks_;
  Executor& executor_;
  store::Lease lease_;
  run::Spec spec_;
  const harness::Harness* harness_ = nullptr;
  run::HarnessState state_;
  std::unique_ptr<RunLog> log_;
  std::unique_ptr<HarnessProcess> process_;
  std::vector<run::ToolCall> asks_;       // of the present process, in the order in which it asked
  bool turn_open_ = false, began_ = false;  // it works on a message; it has, at least once
  bool handled_ = false;                    // it is through with a message on which it did not work
  bool heard_prompt_ = false;
  std::set<std::string> given_;             // keys of what it is given by this executor
  std::set<std::string> refused_;           // messages that the present process did not take at first
  std::vector<harness::Reply> unsent_;      // ... and has not taken yet
  std::int64_t result_ms_ = 0;            // steady: when its input was ended
  std::optional<run::CheckResult> checked_;
  std::int64_t looked_ms_ = 0;            // steady: for messages
  std::int64_t bound_ = 0;                // the process whose session the task is bound to by this executor
  aio::Notifier changed_;
  bool cancel_requested_ = false, stopping_ = false, released_ = false;
};

}  // namespace engine
