#include "cli/registry_query.h"

#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "cli/output.h"
#include "process/capture.h"

namespace cli {

namespace {

constexpr std::size_t kRegistryBytesMax = 16 << 20;
constexpr std::size_t kWordsColumns = 160;
constexpr std::int64_t kStartingMs = 15'000;  // a session without a process may be starting for so long

// The first thing that the program complained of, or nothing.
std::string complaint(const std::string& standard_error) {
  const auto text = one_line(base::utf8_lossy(standard_error.substr(0, 4 * kWordsColumns)), kWordsColumns);
  return text.empty() ? "" : ": " + text;
}

std::string command_line(const std::vector<std::string>& argv) {
  std::string text;
  for (const auto& word : argv) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

bool is_there(const harness::Registered& session, std::int64_t now_ms) {
  return session.pid > 0 || (session.state == "working" && now_ms - session.started_ms < kStartingMs);
}

std::vector<std::string> environment_for(const harness::Harness& harness) {
  std::vector<std::string> kept;
  for (char** at = environ; *at; ++at) {
    const std::string_view one(*at);
    const bool leaves = std::ranges::any_of(harness.stripped(), [one](std::string_view begin) { return one.starts_with(begin); });
    const auto name = one.substr(0, one.find('='));
    if (!leaves && name != harness.session_variable()) kept.emplace_back(one);
  }
  return kept;
}

aio::Task<std::expected<std::string, std::string>> run_program(Process& process, const harness::Harness& harness,
                                                               std::vector<std::string> argv, std::int64_t timeout_ms) {
  const auto program = std::string(harness.program());
  const auto words = command_line(argv);
  process::CaptureSpec spec{.argv = std::move(argv),
                            .directory = {},
                            .environment = environment_for(harness),
                            .timeout_ms = timeout_ms,
                            .output_bytes_max = kRegistryBytesMax};
  std::optional<aio::Offload> own;
  auto& blocking = process.execution ? process.execution->blocking : own.emplace(1);
  auto told = co_await process::capture(blocking, std::move(spec));
  if (!told.not_started.empty()) co_return std::unexpected(program + " cannot be run (" + told.not_started + ")");
  if (told.timed_out) co_return std::unexpected("`" + words + "` gave no answer within " + duration(timeout_ms));
  if (told.exit_code.value_or(0) != 0)
    co_return std::unexpected("`" + words + "` failed with exit code " + std::to_string(*told.exit_code) +
                              complaint(told.standard_error));
  if (told.signal) co_return std::unexpected("`" + words + "` was ended by signal " + std::to_string(told.signal));
  if (told.cut) co_return std::unexpected("`" + words + "` said too much");
  co_return std::move(told.standard_output);
}

aio::Task<std::expected<std::vector<harness::Registered>, std::string>> ask_registry(Process& process,
                                                                                     const harness::Harness& harness,
                                                                                     std::int64_t timeout_ms) {
  const auto* agents = harness.background();
  if (!agents) co_return std::unexpected("harness \"" + std::string(harness.name()) + "\" has no background sessions");
  const auto output = co_await run_program(process, harness, agents->list(), timeout_ms);
  if (!output) co_return std::unexpected(output.error());
  auto listed = agents->listed(*output);
  if (!listed) co_return std::unexpected("`" + command_line(agents->list()) + "` gave an answer that is no list of sessions");
  co_return *std::move(listed);
}

}  // namespace cli
