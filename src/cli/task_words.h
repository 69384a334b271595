#pragma once
// The words of `outlast task` that are checked before anything is looked up: slugs, names, priorities. Pure.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"

namespace cli {

inline constexpr std::size_t kSlugBytesMax = 64;

// [a-z0-9][a-z0-9-]{0,63}
bool is_slug(std::string_view word);
// A slug made of a name: ASCII letters in lower case and digits, a dash for each piece of anything else. "task" where nothing is
// left of it.
std::string slug_of(std::string_view name);
// The `count`th of its name, counted from 1: "fix-login", "fix-login-2" ...
std::string numbered_slug(const std::string& slug, int count);

// One line of text: UTF-8 without control characters, not too long. `what` it is, for the error (exit code 2).
Checked<std::string> task_text(std::string_view text, std::string_view what);
// "high", "medium", "low".
Checked<std::string> task_priority(std::string_view word);
// Without the ones that come twice. None may be empty or hold a comma.
Checked<std::vector<std::string>> task_tags(const std::vector<std::string>& words);
// YYYY-MM-DD of what people write, "" of "none" or nothing.
Checked<std::string> task_due(std::string_view word, std::int64_t now_ms);
// A shell command, or "". `flag` is named in the error (exit code 2).
Checked<std::string> task_command(std::string_view command, std::string_view flag);
// A known harness' name, or "".
Checked<std::string> task_harness(std::string_view word);

}  // namespace cli
