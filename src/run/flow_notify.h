#pragma once
// The command that a person wants to be run when a flow has ended (`--notify`). Pure.
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace run {

// The component of the run that makes the call; what ends a flow with all below it leaves this alone.
inline constexpr std::string_view kNotifyComponent = "notify";

inline constexpr std::size_t kNotifyBytesMax = 4 << 10;  // of the command as written
inline constexpr std::size_t kLabelBytesMax = 128;       // of an invocation, a project

// A shell command with `{name}` replaced, each by exactly that text: inside '…', inside "…" or outside of quotes, whatever the
// text holds. What is named otherwise stays.
std::string filled_command(std::string_view command, const std::map<std::string, std::string, std::less<>>& values);

// Errc::invalid_argument says what is wrong.
base::Result<> check_notify(std::string_view command);
base::Result<> check_label(std::string_view text);

}  // namespace run
