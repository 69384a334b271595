#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace cli {

int exit_code_of(base::Errc code) {
  using base::Errc;
  switch (code) {
    case Errc::invalid_argument:
    case Errc::not_found:
    case Errc::ambiguous:
    case Errc::unsupported: return kUsage;
    case Errc::unavailable:
    case Errc::provider_auth: return kUnusable;
    case Errc::timed_out: return kTimedOut;
    case Errc::conflict:
    case Errc::already_finished:
    case Errc::lease_lost:
    case Errc::cancel_requested:
    case Errc::busy:
    case Errc::denied:
    case Errc::cancelled:
    case Errc::provider_request:
    case Errc::provider_limited:
    case Errc::provider_failed:
    case Errc::network: return kFailed;
  }
  return kFailed;
}

std::unexpected<Failure> refuse(const base::Error& error) { return refuse(exit_code_of(error.code), error.message); }

namespace {

void say(std::string_view head, std::string_view text) {
  const auto line = std::string(head) + harmless(text) + "\n";
  std::fflush(stdout);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

int complain(int code, std::string_view message) {
  say("error: ", message);
  return code;
}
int complain(const Failure& failure) { return complain(failure.code, failure.message); }
int complain(const base::Error& error) { return complain(exit_code_of(error.code), error.message); }
void warn(std::string_view message) { say("warning: ", message); }
void note(std::string_view line) { say("", line); }

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void put_line(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

bool output_taken() {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return true;
  std::fprintf(stderr, "error: the output cannot be written: %s\n", std::strerror(errno));
  return false;
}

bool out_is_terminal() { return isatty(STDOUT_FILENO) == 1; }
bool err_is_terminal() { return isatty(STDERR_FILENO) == 1; }

std::string dim(std::string_view text) {
  const char* term = std::getenv("TERM");
  const bool plain = !err_is_terminal() || std::getenv("NO_COLOR") || !term || std::string_view(term) == "dumb";
  return plain ? std::string(text) : "\x1b[2m" + std::string(text) + "\x1b[0m";
}

std::string harmless(std::string_view text) {
  // C0, DEL, and C1 (which is C2 80..9F in UTF-8) can move the cursor, recolour or retitle a terminal.
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    if (c1 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
      out += "\xEF\xBF\xBD";
    else
      out += text[i];
  }
  return out;
}

std::string one_line(std::string_view text, std::size_t columns) {
  std::string out;
  bool space = false;
  for (const char c : harmless(base::trim(base::utf8_prefix(text, 8 * columns + 64)))) {
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (!blank || !space) out += blank ? ' ' : c;
    space = blank;
  }
  return cut_to(out, columns);
}

std::string age(std::int64_t since_ms, std::int64_t now_ms) {
  const auto seconds = std::max<std::int64_t>(0, now_ms - since_ms) / 1000;
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 86'400) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86'400) + "d";
}

std::string duration(std::int64_t ms) {
  char text[40];
  const auto seconds = ms / 1000;
  if (ms < 60'000)
    std::snprintf(text, sizeof text, "%.1fs", static_cast<double>(ms) / 1000.0);
  else if (seconds < 3600)
    std::snprintf(text, sizeof text, "%lldm%02llds", static_cast<long long>(seconds / 60), static_cast<long long>(seconds % 60));
  else
    std::snprintf(text, sizeof text, "%lldh%02lldm", static_cast<long long>(seconds / 3600),
                  static_cast<long long>(seconds / 60 % 60));
  return text;
}

}  // namespace cli
