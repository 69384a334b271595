#pragma once
// What was said and done in a run of a coding agent, from its events: the same parts as a transcript has. Pure.
#include <set>
#include <string>
#include <vector>

#include "cli/claude_messages.h"
#include "run/event.h"

namespace cli {

class RunMessages {
 public:
  // What the event ends or says goes to the end of `out`; deltas are put together until something else comes.
  void add(const run::Event& event, std::vector<TranscriptPart>& out);
  // After the last event.
  void finish(std::vector<TranscriptPart>& out);

 private:
  struct Reader;
  void grow(TranscriptPart::Kind kind, const std::string& text, std::vector<TranscriptPart>& out);

  TranscriptPart open_;          // deltas so far; an empty text: none
  std::set<std::string> heard_;  // messages that were shown: a new process may be told an old one again
  std::string at_;
};

}  // namespace cli
