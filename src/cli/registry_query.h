#pragma once
// One question to a harness: which background sessions has it? Starts its program, so it is asked only where that is wanted.
#include <expected>
#include <string>
#include <vector>

#include "cli/process.h"
#include "harness/harness.h"

namespace cli {

// For `show` and `list`, which can do without, and right after a launch, when the harness is busy.
inline constexpr std::int64_t kRegistryGlanceMs = 2'000, kRegistryLaunchMs = 30'000;

// An error is no absence: it says why the harness could not be asked. Killed after `timeout_ms` with everything below it.
aio::Task<std::expected<std::vector<harness::Registered>, std::string>> ask_registry(Process& process,
                                                                                     const harness::Harness& harness,
                                                                                     std::int64_t timeout_ms);

// Whether the session has a process, or will have one in a moment.
bool is_there(const harness::Registered& session, std::int64_t now_ms);

// Runs one of the harness's own commands, without a shell: its output, or why there is none.
aio::Task<std::expected<std::string, std::string>> run_program(Process& process, const harness::Harness& harness,
                                                               std::vector<std::string> argv, std::int64_t timeout_ms);

// This process' environment without what a session must not pass on.
std::vector<std::string> environment_for(const harness::Harness& harness);

}  // namespace cli
