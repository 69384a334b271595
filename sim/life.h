#pragma once
// Whether a simulated process lives, is stopped for a while (SIGSTOP), or is dead (kill -9). What is due for it waits with it
// and dies with it.
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "sim/clockwork.h"

namespace sim {

class Life : public std::enable_shared_from_this<Life> {
 public:
  explicit Life(Clockwork& clock) : clock_(clock) {}

  bool dead() const { return dead_; }
  bool stalled() const { return stalled_; }
  // There may be handlers to run.
  bool ready() const { return ready_ && !dead_ && !stalled_; }
  void set_ready(bool ready) { ready_ = ready; }

  void stall() { stalled_ = true; }
  // Does what came due meanwhile, in order.
  void resume();
  void end() { dead_ = true; }

  // Does it later, unless the process is dead then.
  void after(std::int64_t delay_ms, Clockwork::Action action);

 private:
  void act(Clockwork::Action action);

  Clockwork& clock_;
  bool dead_ = false, stalled_ = false, ready_ = true;
  std::vector<Clockwork::Action> waiting_;
};

}  // namespace sim
