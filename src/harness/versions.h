#pragma once
// Which versions of the programs Outlast was tried with, and how others are known to differ (docs/harnesses.md). Pure.
#include <string>
#include <string_view>
#include <vector>

namespace harness {

// The digits in what `PROGRAM --version` prints: "2.1.329 (Claude Code)", "codex-cli 0.169.0"; "" where there are none.
std::string version_in(std::string_view text);
// By their numbers: "2.1.99" is before "2.1.197".
bool is_before(std::string_view version, std::string_view other);

// The version that a harness was tried with.
std::string_view tried_version(std::string_view harness);
// What is known of a version, each a sentence.
std::vector<std::string> known_differences(std::string_view harness, std::string_view version);

}  // namespace harness
