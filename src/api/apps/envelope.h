#pragma once
// Events of a session as its API shows them: {type, seq, kind, app_id, session_id, payload, ts}. Pure functions of the stored
// line and whose it is: the same bytes in every process and at every time.
#include <cstdint>
#include <string>
#include <string_view>

#include "store/types.h"

namespace api::apps {

// The group that a type of event belongs to: run, model, tool, approval, notice; "other" for types of a newer program.
std::string_view kind_of(std::string_view type);

// Nothing of the turn follows this line, ever.
bool ends_turn(std::string_view line);

class Envelope {
 public:
  // Of the events of one turn. `first`: the number of its event 0.
  Envelope(std::string_view app_id, const store::Run& turn, std::uint64_t first);

  // The JSON object of event `index`. The payload is the line's own fields behind `run_id` and `index`; that of run_started tells
  // whose turn it is and what it answers, too.
  void append_json(std::string& out, std::uint64_t index, std::string_view line) const;
  // The same as a server-sent event.
  void append_frame(std::string& out, std::uint64_t index, std::string_view line) const;

  std::uint64_t first() const { return first_; }

 private:
  std::uint64_t first_;
  std::string session_;  // "app_id":...,"session_id":...,"payload":{"run_id":...
  std::string began_;    // ,"agent":...,"message":...
};

}  // namespace api::apps
