#pragma once
// Keeps the run directory of a run current: run.json, branches/, stream/ as a projection of the committed log. The log is the
// truth; what a crash cut off is continued, never written twice. docs/formats/run-directory.md says what the files hold.
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "aio/offload.h"
#include "aio/time.h"
#include "engine/live_logs.h"
#include "engine/projected_files.h"
#include "store/store.h"

namespace engine {

class Projection {
 public:
  // `runs_directory` is absolute. All references must outlive the projection; file work is done on `files`.
  Projection(store::Store& store, LiveLogs& logs, aio::Time& time, aio::Offload& files, std::string runs_directory);

  // Follows the run's log until the run has ended or paused, or leave() was called and all that is committed is written. Io
  // thread. A file system that refuses is tried again while the run is executed here, and for some seconds after it. The call
  // itself counts: leave() may follow it before the task has begun. `known`: the log's beginning, where the caller has it.
  aio::Task<> follow(store::Run run, store::Slice known = {});

  // The run is not executed here any more: follow() ends when it has written what is committed. Io thread.
  void leave(store::RunNumber run);

 private:
  struct Following;
  struct Target;

  aio::Task<> follow_until_left(store::Run run, store::Slice known, std::unique_ptr<Following> following);
  aio::Task<> project(Target& target);
  aio::Task<> be_patient(Target& target);
  aio::Task<> make_way(Target& target);
  aio::Task<> operations_of(const std::string& flow);
  aio::Task<std::size_t> gather(Target& target);
  aio::Task<> drain(Target& target);
  aio::Task<> persistently(const Target& target, ProjectedFiles::Work work);
  static std::size_t add(Target& target, const store::Slice& slice);

  // constant after construction
  store::Store& store_;
  LiveLogs& logs_;
  aio::Time& time_;
  aio::Offload& files_;
  const std::string runs_directory_;
  const store::Owner self_;

  // io thread only
  std::unordered_map<store::RunNumber, Following*> following_;
  aio::Notifier ended_;  // a follow()
};

}  // namespace engine
