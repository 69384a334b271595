#pragma once
// The tool calls of a run as RunOutput lists them: those that have ended, and those that wait (or waited) for a decision. Pure.
#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "api/agentos/event_fields.h"
#include "run/event.h"

namespace api::agentos {

class RunTools {
 public:
  void take(const run::Event& event);

  boost::json::array tools() const;
  boost::json::array requirements() const;  // of every pause, resolved ones too

 private:
  struct Entry {
    run::ToolCall call;
    std::int64_t at_ms = 0;
    std::string result = {}, note = {};
    bool finished = false, is_error = false;
    Confirmation confirmation = Confirmation::none;
    std::int64_t started_ms = 0, duration_ms = 0;
  };
  Entry* find_open(const std::string& call_id);
  static ToolView view_of(const Entry& entry);

  std::vector<Entry> entries_;
};

}  // namespace api::agentos
