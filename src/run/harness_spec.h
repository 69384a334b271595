#pragma once
// What a run of kind harness is to do: a turn, or several, of a coding-agent program in one of its sessions.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace run {

// Zero means: no limit.
struct HarnessLimits {
  std::int64_t start_ms = 0;         // until the program has named its session
  std::int64_t idle_ms = 0;          // without a byte of output, unless it waits for a person
  std::int64_t after_result_ms = 0;  // from its last word to its exit
  std::int64_t limit_wait_ms = 0;    // the longest usage limit that is waited for; a longer one is a failure
  bool operator==(const HarnessLimits&) const = default;
};

struct HarnessSpec {
  std::string harness;      // "claude", "codex", "gemini", "opencode"
  std::string task;         // the slug of the task that it is a turn of; "" none
  std::string title;        // for the harness's own lists
  std::string session_id;   // the harness's: to be created under that id, or to be gone on with; "": it makes one
  bool resumes = false;     // the session is there already
  bool background = false;  // as the harness's own background agent, which outlives this run
  bool unattended = false;  // nobody answers: no approvals are asked for, and the task must be marked as done
  bool skip_permissions = false;
  std::vector<std::string> environment = {};  // "NAME=value" of the caller that others must not replace; no secrets
  std::vector<std::string> check = {};        // a command that must succeed before the work counts as done
  std::string repository = {};                // of which the run's directory is a worktree, made before the work begins; "" it is none
  std::string notify = {};                    // a shell command, for when the run waits and when it has ended; "" none
  HarnessLimits limits = {};
  bool operator==(const HarnessSpec&) const = default;
};

boost::json::object to_json(const HarnessSpec& spec);
HarnessSpec read_harness_spec(const boost::json::object& fields);

// The id of a message that a harness is given, a UUID: the same key of the same run is the same message.
std::string harness_message_id(std::string_view run_id, std::string_view key);

}  // namespace run
