#pragma once
// What happens to a coding-agent program, besides what it says and does: events of the log of a run of kind harness
// (run/event.h, docs/formats/harness.md).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "run/message.h"

namespace run {

// A process of the program is to be started: the `process`th of this run, counted from 1.
struct HarnessStarted {
  std::int64_t process = 1;
  std::string session_id = {};  // pinned, or gone on with; "": it makes one
  bool resumes = false;
  std::string prompt = {};      // what it is told first
  std::string message_id = {};  // of that
  std::string why = {};         // "": as asked; else why once more: "crashed", "message", "limit", "check" ...
};

// The program has confirmed the session.
struct HarnessSession {
  std::string session_id;
  std::string model = {}, version = {};
};

// A message is in the program's conversation; it has said so.
struct HarnessHeard {
  std::string message_id;
};

enum class TurnOutcome {
  done,
  failed,      // for good
  again,       // a passing failure: it may be tried again
  limited,     // a usage limit
  denied,      // it may not use the provider: no key, or a wrong one
  interrupted,
};

// A turn is over.
struct HarnessTurn {
  TurnOutcome outcome = TurnOutcome::done;
  std::string text = {};        // its answer
  std::string error = {};
  Usage usage = {};             // of this turn
  std::int64_t cost_micros = 0; // of this turn, in millionths of a US dollar, where it says so
  std::int64_t until_ms = 0;    // of a limit: when it ends, where that is known
};

// A process has ended.
struct HarnessEnded {
  std::int64_t process = 1;
  std::optional<std::int64_t> exit_code = {};
  std::int64_t signal = 0;
  std::string why = {};  // "exited", "signalled", "lost", "idle" ...: process::Cause, or which deadline had passed
  std::string words = {};  // the end of what it wrote to stderr, where that explains it
  Usage used = {};         // of a turn that it had not ended: an estimate, from what was said until then
};

// It waits until a usage limit ends, or before it is tried again.
struct HarnessWaits {
  std::string why;
  std::int64_t until_ms = 0;
};

boost::json::object fields_of(const HarnessStarted& event);
boost::json::object fields_of(const HarnessSession& event);
boost::json::object fields_of(const HarnessHeard& event);
boost::json::object fields_of(const HarnessTurn& event);
boost::json::object fields_of(const HarnessEnded& event);
boost::json::object fields_of(const HarnessWaits& event);
HarnessStarted read_harness_started(const boost::json::object& fields);
HarnessSession read_harness_session(const boost::json::object& fields);
HarnessHeard read_harness_heard(const boost::json::object& fields);
HarnessTurn read_harness_turn(const boost::json::object& fields);
HarnessEnded read_harness_ended(const boost::json::object& fields);
HarnessWaits read_harness_waits(const boost::json::object& fields);

// "done", "failed" ...
std::string_view name(TurnOutcome outcome);

}  // namespace run
