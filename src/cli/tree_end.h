#pragma once
// The end of a run and of all that it has started, whoever executes it: asked for in the store first, then of the process, and at
// last done here.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aio/task_group.h"
#include "cli/executor_process.h"
#include "cli/process.h"

namespace cli {

class TreeEnd {
 public:
  struct Outcome {
    std::vector<store::Run> ended;          // those that were live, the root first if it was, as they are now
    std::vector<store::Run> live;           // those that still are
    std::map<std::int64_t, int> signalled;  // pid of an executor that did not end by itself: the last signal
    std::vector<std::string> untouchable;   // processes that execute such runs and may not be signalled, and why
  };

  struct Request {
    store::Run root;
    std::string reason;  // kept with the run; may be empty
    std::int64_t grace_ms = 0;
  };
  // `tasks` must be joined after stop_executing, and this object outlive them.
  TreeEnd(Process& process, Request request, aio::TaskGroup& tasks)
      : process_(process),
        root_(std::move(request.root)),
        reason_(std::move(request.reason)),
        grace_ms_(request.grace_ms),
        tasks_(tasks) {}

  aio::Task<Outcome> run();

 private:
  struct Executor {
    ExecutorProcess process;
    std::int64_t seen_ms;  // when it was found executing the tree
    int signalled = 0;
  };
  using Runs = std::vector<store::Run>;

  aio::Task<Runs> look();
  void ask(const Runs& tree);
  aio::Task<> record(store::Run run);
  void find_executors(const Runs& tree, const std::vector<store::Holder>& holders);
  void press_executors();
  aio::Task<> take_orphans(const Runs& tree);
  aio::Task<> take(store::RunNumber run);

  Process& process_;
  const store::Run root_;
  std::string reason_;  // "" once it is kept
  const std::int64_t grace_ms_;
  aio::TaskGroup& tasks_;
  std::int64_t began_ms_ = 0, next_orphan_look_ms_ = 0;
  bool held_ = false;  // a living process executes the root
  std::map<store::RunNumber, std::string> were_live_;
  std::map<store::OwnerNumber, Executor> executors_;
  std::map<store::OwnerNumber, std::string> untouchable_;
  std::set<store::RunNumber> asking_, taking_;  // under way
  std::map<std::int64_t, int> signalled_;
};

// A run and what is below it, as they are now; nothing when it was removed.
aio::Task<std::vector<store::Run>> tree_of(Process& process, store::Run root);

}  // namespace cli
