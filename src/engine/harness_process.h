#pragma once
// One process of a coding-agent program under way: its child, what it writes, and what it is written. Everything here can be done
// again by another executor: the child is found by its number, its output is read anew, and what was sent has a key.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aio/notifier.h"
#include "aio/scope.h"
#include "aio/task_group.h"
#include "engine/deps.h"
#include "harness/harness.h"
#include "process/children.h"
#include "run/harness.h"

namespace engine {

// What the program has said in one line, or at its end.
struct HarnessLine {
  std::vector<harness::Told> told;
  std::uint64_t end = 0;  // the byte after the line
};

class HarnessProcess {
 public:
  // All references outlive it; `run` and `spec` as they were when it was begun.
  HarnessProcess(Deps& deps, const store::Run& run, const run::Spec& spec, const harness::Harness& harness, const run::HarnessStarted& begun);
  ~HarnessProcess();
  HarnessProcess(const HarnessProcess&) = delete;
  HarnessProcess& operator=(const HarnessProcess&) = delete;

  std::int64_t number() const { return number_; }
  // Starts it, or finds it. `tasks` waits for its end.
  void begin(aio::TaskGroup& tasks);

  // The lines that have been written since the last look, one after another from the beginning; empty: none for now. After its end
  // what is left is a line too, and then what the decoder makes of the end.
  aio::Task<std::vector<HarnessLine>> read();
  // It has ended and all of its output was read.
  bool is_over() const { return said_end_; }
  const process::Ended& ended() const { return *ended_; }
  std::string last_words() const;  // of stderr
  std::int64_t quiet_ms() const;   // for how long nothing was written

  const harness::Decoder& decoder() const { return *decoder_; }
  const harness::Command& command() const { return command_; }
  // Once for each key. False: it takes no input any more.
  aio::Task<bool> send(std::string key, std::string line);
  aio::Task<> end_input();
  bool input_ended() const { return input_ended_; }

  // Comes back when its whole tree is gone.
  aio::Task<> kill();
  // Waits for its end, but not longer.
  aio::Task<> wait(std::chrono::milliseconds limit);

 private:
  struct Waiting;
  process::ChildSpec child_spec() const;
  void add_line(std::string_view line, std::vector<HarnessLine>& lines);

  Deps& deps_;
  const store::Run run_;
  const run::Spec& spec_;
  const std::int64_t number_;
  const process::ChildKey key_;
  const process::ChildDirectory directory_;
  const harness::Command command_;
  const std::unique_ptr<harness::Decoder> decoder_;
  std::shared_ptr<Waiting> waiting_;
  std::optional<process::Ended> ended_;
  std::string partial_;        // a line that is not whole yet
  bool overlong_ = false;      // ... and longer than one may be: dropped up to its end
  std::uint64_t read_ = 0;     // bytes
  std::int64_t written_ms_;    // steady: when something new was seen last
  bool said_end_ = false, input_ended_ = false;
};

}  // namespace engine
