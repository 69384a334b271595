#pragma once
// A turn that is given to a background agent of the harness's own: it is started, or brought back with a message, and goes on
// without this run, which ends when the harness has said which session it is. Each command is a child of the run, so that whoever
// takes the run over finds what it has done instead of doing it once more.
#include <memory>
#include <string>
#include <vector>

#include "engine/execution.h"
#include "engine/run_log.h"
#include "harness/harness.h"
#include "run/harness.h"

namespace engine {

class BackgroundAgentExecution final : public Execution {
 public:
  BackgroundAgentExecution(Deps& deps, aio::TaskGroup& tasks, store::Lease lease);

  aio::Task<Ending> run() override;
  aio::Task<> fail(std::string what) override;
  void cancel() override;
  void hand_over() override;
  void stop_after_step() override { hand_over(); }
  bool released() const override { return released_; }
  const store::Run& row() const override { return lease_.run; }

 private:
  struct Output {
    bool ok = false;
    std::string text, words;  // standard output; why it failed
  };
  // Ends the run: the result, or why there is none. Nothing: it was cut short.
  aio::Task<std::optional<run::AppendEvents>> start();
  aio::Task<bool> make_room();
  aio::Task<bool> stop_stray();
  aio::Task<std::optional<harness::Registered>> find_started(const std::string& id);
  aio::Task<std::optional<std::vector<harness::Registered>>> list();
  aio::Task<Output> command(std::string call, std::vector<std::string> argv, bool daemonises, std::int64_t limit_ms);
  harness::Start start_options() const;
  run::AppendEvents result(const harness::Registered& agent) const;
  bool is_cut() const { return cancel_requested_ || stopping_ || log_->failure().has_value(); }

  Deps& deps_;
  aio::TaskGroup& tasks_;
  store::Lease lease_;
  run::Spec spec_;
  const harness::Harness* harness_ = nullptr;
  run::HarnessState state_;
  std::unique_ptr<RunLog> log_;
  std::string why_;           // there is no result
  std::int64_t listed_ = 0;   // how often the registry was asked by this executor
  bool was_absent_ = false;   // the session to be brought back is not in the registry
  aio::Notifier changed_;
  bool cancel_requested_ = false, stopping_ = false, released_ = false;
};

}  // namespace engine
