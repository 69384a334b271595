#include "cli/harness_check.h"

#include <unistd.h>

#include <thread>

#include "base/text.h"
#include "cli/registry_query.h"
#include "harness/versions.h"
#include "process/capture.h"

namespace cli {

namespace {

constexpr std::int64_t kVersionMs = 5'000;

std::string found_in_path(std::string_view program, const Settings& settings) {
  for (const auto directory : base::split(settings.environment("PATH").value_or(""), ':')) {
    const auto path = std::string(directory) + "/" + std::string(program);
    if (!directory.empty() && access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

void ask(const harness::Harness& harness, HarnessCheck& check) {
  const auto told = process::capture({.argv = {check.path, "--version"}, .directory = {}, .environment = environment_for(harness), .timeout_ms = kVersionMs});
  check.version = harness::version_in(told.standard_output);
  if (told.timed_out || check.version.empty()) {
    check.detail = told.timed_out ? "it does not tell its version in time" : "it tells no version";
    return;
  }
  const auto tried = std::string(harness::tried_version(harness.name()));
  if (harness::is_before(tried, check.version)) check.detail = "newer than " + tried + ", which Outlast was tried with";
  if (harness::is_before(check.version, tried)) check.detail = "older than " + tried + ", which Outlast was tried with";
  for (const auto& one : harness::known_differences(harness.name(), check.version)) check.detail += (check.detail.empty() ? "" : "; ") + one;
}

}  // namespace

std::vector<HarnessCheck> check_harnesses(const Settings& settings) {
  std::vector<HarnessCheck> checks;
  for (const auto* harness : harness::all()) {
    const auto path = found_in_path(harness->program(), settings);
    checks.push_back({.name = std::string(harness->name()), .path = path, .version = {}, .found = !path.empty(), .detail = path.empty() ? "not in PATH" : ""});
  }
  std::vector<std::jthread> asking;
  for (std::size_t i = 0; i < checks.size(); ++i)
    if (checks[i].found) asking.emplace_back([&checks, i] { ask(*harness::all()[i], checks[i]); });
  asking.clear();  // joined
  return checks;
}

}  // namespace cli
