#pragma once
// The hooks of one run: which of them an event fires, what they have done before, and what they do now. Their firings are facts
// of the run, so that a recovery neither repeats nor forgets one. Whatever goes wrong in a hook stays in it.
#include <map>
#include <memory>
#include <string>

#include "aio/task_group.h"
#include "engine/hook_action.h"
#include "engine/run_log.h"

namespace engine {

struct HookOccasion {
  run::HookEvent on;
  std::string key = {};  // names it within the run: for one key a hook fires once, and its verdict stays the same
  boost::json::object facts = {};
  bool recovered = false;  // its consequences are in the log already
};

class Hooks {
 public:
  // All references outlive it. Io thread. settle() or stop() must have been awaited before it is destroyed.
  Hooks(Deps& deps, const store::Run& run, const run::Spec& spec, const run::AgentState& state, RunLog& log);

  bool any(run::HookEvent on) const;

  // What has fired so far, in the run and in its session. Await before the first fire().
  aio::Task<> load();

  // How many messages of the session's earlier runs the model is given.
  void note_past(std::size_t messages) { past_ = messages; }
  // Whether a hook has asked for a shorter conversation since it was last asked.
  bool take_compaction() { return std::exchange(compact_, false); }
  // Runs of the session so far, this one included.
  std::int64_t turns() const { return turns_; }
  // How often hooks have made this run go on that would have ended.
  std::int64_t stop_retries() const { return stop_retries_; }

  // Something has happened, or a recovery finds that it had. Whatever the verdict needs has been done, and what the model is to
  // be told is in the log (or, where the run is about to end or has no model, waits for the session's next turn); other effects
  // go on beside the caller.
  aio::Task<HookVerdict> fire(HookOccasion occasion, std::shared_ptr<const tool::Toolbox> tools);

  // The run is a background task: tells the hooks that want to know how it goes, until the run ends.
  void watch_progress(std::shared_ptr<const tool::Toolbox> tools);

  // Before the end of the run: waits for what goes on beside; each has its own time limit.
  aio::Task<> settle();
  // Ends it. `goes_on`: the run does, elsewhere, and so may what outlives its caller.
  aio::Task<> stop(bool goes_on);

 private:
  struct Once {
    std::string hook, key;
    auto operator<=>(const Once&) const = default;
  };
  aio::Task<> fire_one(const run::Hook& hook, const HookOccasion& occasion, std::shared_ptr<const tool::Toolbox> tools,
                       HookVerdict& verdict);
  aio::Task<> perform(const run::Hook& hook, std::string key, HookFiring firing, HookVerdict& verdict);
  aio::Task<> perform_beside(run::Hook hook, std::string key, HookFiring firing);
  aio::Task<> tell(run::HookEvent on, const std::vector<HookVerdict::Words>& words);
  aio::Task<> tell_progress(run::Hook hook, std::shared_ptr<const tool::Toolbox> tools);
  void note(const run::Hook& hook, const std::string& key, const std::string& failure, const HookVerdict& verdict);

  Deps& deps_;
  const store::Run& run_;
  const run::Spec& spec_;
  const run::AgentState& state_;
  RunLog& log_;
  std::size_t past_ = 0;
  bool compact_ = false;
  std::int64_t turns_ = 1, stop_retries_ = 0;
  std::map<Once, HookVerdict> done_;         // of this run
  std::map<std::string, run::Fired> fired_;  // of the session, by the hook's id
  const std::shared_ptr<bool> handing_over_ = std::make_shared<bool>(false);
  aio::TaskGroup beside_, periodic_;
};

}  // namespace engine
