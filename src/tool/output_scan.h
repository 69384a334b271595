#pragma once
// Looks for a pattern in what a command writes, from where the last look ended, so that every byte is seen once and a line that
// came in two pieces is seen whole. Blocks: for an offload.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tool {

class Redactor;

struct ScanFrom {
  std::uint64_t out = 0, err = 0;  // bytes of standard output and standard error that need not be looked at again
};

struct Sighting {
  bool found = false;
  std::string line;  // the line that holds it, at most a few hundred bytes, without secrets
  ScanFrom next;
};

// The line of a text that holds the pattern.
std::optional<std::string> line_with(std::string_view text, const std::string& pattern);

// `pattern` is a regular expression (RE2), or where it is none, the text itself.
Sighting scan_output(const std::string& out_path, const std::string& err_path, const std::string& pattern, ScanFrom from,
                     const Redactor& redactor);

}  // namespace tool
