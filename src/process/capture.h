#pragma once
// A program that is run for its output and answers shortly: both streams apart, bounded, with a deadline. For work that matters,
// and for what may take long, there is process::Children; this one is killed with whoever asks.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aio/offload.h"
#include "aio/task.h"

namespace process {

struct CaptureSpec {
  std::vector<std::string> argv;           // argv[0] is looked up in PATH, of `environment`
  std::string directory;                   // "": this process' own
  std::vector<std::string> environment;    // "NAME=value", whole
  std::int64_t timeout_ms = 0;             // from its start on; it must be given
  std::size_t output_bytes_max = 1 << 20;  // of each stream: the rest is read and dropped
};

struct Captured {
  std::string standard_output, standard_error;
  bool cut = false;              // one of them was longer
  std::optional<int> exit_code;  // nothing: by a signal, killed, or this process ignores SIGCHLD
  int signal = 0;                // 0: none
  bool timed_out = false;        // it was killed with everything below it
  std::string not_started;       // why it never ran; "" it did
};

// Standard input is /dev/null; no shell. In a session of its own; what it leaves behind after a timely end lives on. Blocks as
// long as the program runs.
Captured capture(const CaptureSpec& spec);
// The same without blocking the io thread. It cannot be cut short, but by its deadline.
aio::Task<Captured> capture(aio::Offload& files, CaptureSpec spec);

}  // namespace process
