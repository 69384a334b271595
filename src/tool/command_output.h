#pragma once
// What a command wrote, as a model is shown it: without what is for terminals, without secrets, both ends of what is long, with
// honest counts. Secrets are looked for before anything is cut. Blocks: for an offload.
#include <cstdint>
#include <string>

#include "tool/redaction.h"

namespace tool {

struct OutputBounds {
  std::size_t head_bytes, tail_bytes;
  std::size_t lines;  // both ends together
};

std::string shown_output(const std::string& path, const OutputBounds& bounds, const Redactor& redactor);

struct ShownTail {
  std::string text;
  std::int64_t lines = 0;  // of the whole file
};
ShownTail shown_tail(const std::string& path, std::size_t lines, std::size_t bytes, const Redactor& redactor);

// The line that holds the byte at `at`, not more than a few hundred bytes of it.
std::string shown_line(const std::string& path, std::uint64_t at, const Redactor& redactor);

}  // namespace tool
