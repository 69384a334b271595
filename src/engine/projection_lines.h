#pragma once
// One event as one line of a run directory's stream buffer, in the vocabulary of docs/formats/run-directory.md. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "run/event.h"

namespace engine {

struct StreamOf {
  std::string run_id, session_id;
};

// Without newline. `status` is the run's after the event.
std::string stream_line(const StreamOf& of, std::uint64_t index, const run::Event& event, run::Status status);

// The event's index where `line` is a stream line of that run; the whole text of a line that is none gives nothing.
std::optional<std::uint64_t> stream_index(std::string_view line, std::string_view run_id);
// Whether a complete line (without newline) is a stream line of any run.
bool is_stream_line(std::string_view line);

}  // namespace engine
