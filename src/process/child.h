#pragma once
// A child as its directory describes it: what is to run, who owns it, how it ended. Formats: docs/formats/child-directory.md.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/process_identity.h"

namespace process {

struct Window {
  int rows = 0, columns = 0;
};

// What is to run. Zero means: no limit.
struct ChildSpec {
  std::vector<std::string> argv;         // argv[0] is looked up in the child's PATH
  std::string directory;                 // absolute
  std::vector<std::string> environment;  // "NAME=value", whole
  std::vector<std::string> inherits = {};  // names of variables that it gets from its starter's environment: they may be secret, no file has them
  bool takes_input = false;              // standard input is a pipe that send() fills; else /dev/null
  std::optional<Window> terminal;        // a pseudo-terminal instead; its output goes to stdout
  bool daemonises = false;  // what it leaves behind is no part of it: it is not waited for, not killed and not tagged
  std::int64_t wall_ms = 0;
  std::int64_t idle_ms = 0;           // without a byte of output
  std::int64_t output_bytes_max = 0;  // stdout and stderr together
};

// Why it is over. The closed list; names are stable.
enum class Cause {
  exited,     // by itself: exit_code
  signalled,  // by a signal that was not ours: signal
  cancelled,  // on request
  timeout,    // wall clock
  idle_timeout,
  output_limit,
  out_of_memory,  // killed while the kernel counted an out-of-memory kill
  spawn_failed,   // it never ran: message says why
  terminated,     // its owner was told to stop (the machine goes down)
  lost,           // its owner died without a word: the outcome is unknown
};
std::string_view name(Cause cause);

struct Ended {
  Cause cause = Cause::lost;
  std::optional<int> exit_code;  // only when exited by itself, or while being ended
  int signal = 0;                // 0: none
  std::string message;
  std::int64_t started_ms = 0, ended_ms = 0;  // wall; 0: it never ran
  std::int64_t user_us = 0, system_us = 0, max_resident_kib = 0;
};

std::string encode(const ChildSpec& spec);
base::Result<ChildSpec> decode_child_spec(std::string_view text);
std::string encode(const Ended& ended);
base::Result<Ended> decode_ended(std::string_view text);
std::string encode(const base::ProcessIdentity& owner);
// Errc::not_found: it is closed for ever, nothing ran and nothing will.
base::Result<base::ProcessIdentity> decode_claim(std::string_view text);

// What a claim holds that forbids to run the child at all.
inline constexpr std::string_view kClosedClaim = R"({"closed":true})";
// Carried by every process of the child, by which those of a dead owner are found: the directory's path.
inline constexpr std::string_view kTagVariable = "OUTLAST_CHILD";

}  // namespace process
