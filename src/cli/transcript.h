#pragma once
// A run's events as a person reads them: the text on stdout, what happens beside it on stderr.
#include <cstdint>
#include <string>
#include <string_view>

#include "run/agent.h"

namespace cli {

struct TranscriptOptions {
  bool text_live = false;  // the text as it comes; else the content once, at the end
  bool asides = false;     // tool calls, thinking, retries as dim lines on stderr
  std::uint64_t from = 0;  // events before it are not shown
};

class Transcript {
 public:
  explicit Transcript(TranscriptOptions options) : options_(options) {}

  void add(std::uint64_t index, const run::Event& event);
  // After the last event, with the fold of all. The person may have left before the run's end: then there is no result yet.
  enum class End { run, left };
  void finish(const run::AgentState& state, End end);

  // A line on stderr that does not run into the text.
  void aside(std::string_view line);

 private:
  struct Show;
  void text(std::string_view delta);
  void end_thinking();

  const TranscriptOptions options_;
  bool mid_line_ = false;  // stdout is not at the beginning of a line
  std::string thinking_;   // not yet shown
};

}  // namespace cli
