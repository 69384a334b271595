#include "sim/life.h"

namespace sim {

void Life::after(std::int64_t delay_ms, Clockwork::Action action) {
  clock_.after(delay_ms, [self = shared_from_this(), action = std::move(action)]() mutable { self->act(std::move(action)); });
}

void Life::act(Clockwork::Action action) {
  if (dead_) return;
  if (stalled_) {
    waiting_.push_back(std::move(action));
    return;
  }
  ready_ = true;
  action();
}

void Life::resume() {
  stalled_ = false;
  ready_ = true;
  const auto keep = shared_from_this();
  for (auto& action : std::exchange(waiting_, {})) act(std::move(action));
}

}  // namespace sim
