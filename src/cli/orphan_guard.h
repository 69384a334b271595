#pragma once
// Sees to it that runs which somebody waits for are executed by someone: a run whose executor died and that no server adopts
// within two seconds gets a new one, or the waiter is told why it gets none.
#include <functional>
#include <map>
#include <string>

#include "cli/process.h"

namespace cli {

class OrphanGuard {
 public:
  // Called on the io thread: what happens to a run, as one line for people.
  using Tell = std::function<void(const store::Run& run, const std::string& what)>;
  // Called when nobody can go on with a run from here, with the reason; it stays watched.
  using GaveUp = std::function<void(const store::Run& run, const std::string& why)>;

  OrphanGuard(Process& process, Tell tell, GaveUp gave_up)
      : process_(process), tell_(std::move(tell)), gave_up_(std::move(gave_up)) {}

  void watch(const store::Run& run) { watched_.try_emplace(run.number, Watched{.run = run}); }
  void forget(store::RunNumber run) { watched_.erase(run); }

  // Looks again and again until its task is cancelled.
  aio::Task<> stand();

 private:
  struct Watched {
    store::Run run;
    std::int64_t orphan_since_ms = 0;  // 0: it has a living executor, or needs none
    std::int64_t next_try_ms = 0;
    bool told = false;
  };
  aio::Task<> look();
  aio::Task<> care(store::Run orphan);

  Process& process_;
  Tell tell_;
  GaveUp gave_up_;
  std::map<store::RunNumber, Watched> watched_;
};

}  // namespace cli
