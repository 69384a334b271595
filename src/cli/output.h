#pragma once
// What commands print: results on stdout, everything else on stderr, in lines that begin with "error: " or "warning: " where
// they are one. No line carries a time or a level.
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/columns.h"

namespace cli {

// Exit codes of all commands.
inline constexpr int kOk = 0, kFailed = 1, kUsage = 2, kStillRunning = 3, kUnusable = 78, kTimedOut = 124, kInterrupted = 130,
                     kTerminated = 143;

// A command that cannot go on: what is said, and the code it ends with.
struct Failure {
  int code = kFailed;
  std::string message;
};
template <class T = void>
using Checked = std::expected<T, Failure>;

inline std::unexpected<Failure> refuse(int code, std::string message) {
  return std::unexpected(Failure{code, std::move(message)});
}

// The code that an expected outcome ends a command with.
int exit_code_of(base::Errc code);
std::unexpected<Failure> refuse(const base::Error& error);

// "error: MESSAGE" on stderr; gives the code back.
int complain(int code, std::string_view message);
int complain(const Failure& failure);
int complain(const base::Error& error);
void warn(std::string_view message);
// A line of chatter on stderr.
void note(std::string_view line);

// Text or a line on stdout, at once.
void put(std::string_view text);
void put_line(std::string_view line);
// Whether everything put so far was taken; says what is wrong otherwise.
bool output_taken();

bool out_is_terminal();
bool err_is_terminal();
// Text dimmed for a terminal's stderr, as it is elsewhere.
std::string dim(std::string_view text);

// Text that cannot command the terminal: control characters other than newline and tab are shown as U+FFFD.
std::string harmless(std::string_view text);
// The same in one line, no wider than `columns` on a terminal, cut with "…".
std::string one_line(std::string_view text, std::size_t columns);

// "3s", "12m", "5h", "9d".
std::string age(std::int64_t since_ms, std::int64_t now_ms);
// "1.8s", "2m05s", "3h10m".
std::string duration(std::int64_t ms);

}  // namespace cli
