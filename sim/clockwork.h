#pragma once
// Virtual time of one world: a queue of what is due. It passes only when somebody advances it.
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace sim {

class Clockwork {
 public:
  using Action = std::function<void()>;

  std::int64_t steady_ms() const { return now_ms_; }
  std::int64_t wall_ms() const { return kStartMs + now_ms_ + jumped_ms_; }
  // The wall clock of the machine is set forwards or backwards; the steady clock does not notice.
  void jump_wall(std::int64_t by_ms) { jumped_ms_ += by_ms; }

  // What is due at the same time happens in the order in which it was asked for.
  void after(std::int64_t delay_ms, Action action) {
    due_.emplace(std::pair(now_ms_ + (delay_ms > 0 ? delay_ms : 0), ++asked_), std::move(action));
  }
  bool empty() const { return due_.empty(); }
  // Goes to the next that is due and does it.
  void advance() {
    auto next = due_.extract(due_.begin());
    now_ms_ = next.key().first;
    next.mapped()();
  }

 private:
  static constexpr std::int64_t kStartMs = 1'750'000'000'000;
  std::int64_t now_ms_ = 0, jumped_ms_ = 0;
  std::uint64_t asked_ = 0;
  std::map<std::pair<std::int64_t, std::uint64_t>, Action> due_;
};

}  // namespace sim
