#pragma once
// The world's child processes: a command that a simulated tool has started goes on whatever becomes of the process that
// started it, and is found again by its call. As src/process keeps them: started once, closed for ever when its run has ended
// before it began, fenced by the lease's epoch.
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "sim/clockwork.h"

namespace sim {

class Commands {
 public:
  explicit Commands(const Clockwork& clock) : clock_(clock) {}

  struct Command {
    std::int64_t ends_ms = 0, epoch = 0;  // steady
    bool killed = false, lost = false;
  };

  // The command of a call; `fresh` when it has just begun, then it takes so long.
  std::pair<Command*, bool> start(const std::string& run_id, const std::string& call_id, std::int64_t epoch, std::int64_t takes_ms) {
    const auto [at, fresh] = commands_.try_emplace({run_id, call_id});
    auto& command = at->second;
    if (fresh) command.ends_ms = clock_.steady_ms() + takes_ms;
    if (epoch > command.epoch) command.epoch = epoch;
    return {&command, fresh};
  }
  bool lives(const Command& command) const { return !command.killed && !command.lost && clock_.steady_ms() < command.ends_ms; }

  void kill(Command& command, std::int64_t epoch) const {
    if (epoch >= command.epoch && lives(command)) command.killed = true;
  }
  void kill_all(const std::string& run_id, std::int64_t epoch) {
    for (auto at = commands_.lower_bound({run_id, ""}); at != commands_.end() && at->first.first == run_id; ++at) kill(at->second, epoch);
  }
  bool any_lives(const std::string& run_id) const {
    for (auto at = commands_.lower_bound({run_id, ""}); at != commands_.end() && at->first.first == run_id; ++at)
      if (lives(at->second)) return true;
    return false;
  }
  // The machine goes down.
  void lose_all() {
    for (auto& [call, command] : commands_)
      if (lives(command)) command.lost = true;
  }

 private:
  const Clockwork& clock_;
  std::map<std::pair<std::string, std::string>, Command> commands_;
};

}  // namespace sim
