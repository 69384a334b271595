#pragma once
// What the agents of a flow say and do, as it comes: their text on stdout, their calls on stderr, each line with who it is.
#include <string>

#include "aio/task_group.h"
#include "cli/process.h"
#include "run/event.h"

namespace cli {

// An operation's run that has begun.
struct BegunRun {
  std::string run_id, label;
};

// A run's events as lines. Text comes in pieces: only whole lines are shown, so that agents do not break into each other's.
class LabelledLines {
 public:
  explicit LabelledLines(std::string label) : label_(std::move(label)) {}
  void add(const run::Event& event);
  // Since the last time, to be printed.
  std::string take_text() { return std::exchange(text_, {}); }
  std::string take_asides() { return std::exchange(asides_, {}); }
  bool ended() const { return ended_; }

 private:
  struct Show;
  void flush();

  const std::string label_;
  std::string open_;  // a line that has not ended
  std::string text_, asides_;
  bool ended_ = false;
};

class FlowStream {
 public:
  // Both outlive it; the group is joined before it goes.
  FlowStream(Process& process, aio::TaskGroup& tasks) : process_(process), tasks_(tasks) {}

  void begin(BegunRun begun);
  // Until all that has begun has been shown to its end, for a bounded time: what is committed is there at once.
  aio::Task<> settle();

 private:
  aio::Task<> show(BegunRun begun);

  Process& process_;
  aio::TaskGroup& tasks_;
  std::size_t showing_ = 0;
};

}  // namespace cli
