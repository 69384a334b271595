#include "cli/request_parts.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/limits.h"
#include "base/text.h"
#include "net/http_client.h"
#include "run/recovery.h"

namespace cli {

namespace {

namespace fs = std::filesystem;
namespace limits = base::limits;

constexpr std::size_t kPromptBytesMax = limits::kEventBytesMax / 2;
constexpr std::size_t kNameColumns = 60;
constexpr double kTimeoutSecondsMax = 1e9;
constexpr double kCostDollarsMax = 1e9;

Checked<std::string> text_from_stdin(std::string_view what) {
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const auto n = read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0) return refuse(kFailed, "the " + std::string(what) + " cannot be read from standard input");
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kPromptBytesMax)
      return refuse(kUsage, "the " + std::string(what) + " is longer than " + std::to_string(kPromptBytesMax) + " bytes");
  }
}

}  // namespace

Checked<std::string> read_prompt(std::string prompt) {
  auto text = read_text(std::move(prompt), "prompt");
  if (!text) return text;
  if (const auto good = check_prompt(*text); !good) return std::unexpected(good.error());
  return text;
}

Checked<std::string> read_text(std::string word, std::string_view what) {
  if (word != "-") return word;
  return text_from_stdin(what);
}

Checked<> check_prompt(const std::string& prompt) {
  if (base::trim(prompt).empty()) return refuse(kUsage, "the prompt is empty: say what the agent is to do");
  if (prompt.size() > kPromptBytesMax)
    return refuse(kUsage, "the prompt is longer than " + std::to_string(kPromptBytesMax) + " bytes");
  if (!base::valid_utf8(prompt))
    return refuse(kUsage, "the prompt is not valid UTF-8; convert it (iconv -t UTF-8) and try again");
  return {};
}

Checked<std::string> work_directory(const std::optional<std::string>& cwd, const Settings& settings, const std::string& otherwise) {
  std::error_code ec;
  if (!cwd) {
    const auto text = otherwise.empty() ? fs::current_path(ec).string() : otherwise;
    if (!ec && fs::is_directory(text, ec)) return text;
    return refuse(kUsage, "the work directory " + (text.empty() ? std::string("of this shell") : "'" + text + "'") +
                              " is not there any more; give one with --cwd DIR");
  }
  auto text = *cwd;
  if (text == "~" || text.starts_with("~/")) text = settings.environment("HOME").value_or("~") + text.substr(1);
  const auto path = fs::canonical(text, ec);
  if (ec) return refuse(kUsage, "--cwd " + *cwd + ": " + ec.message() + "; name a directory that exists");
  if (!fs::is_directory(path, ec)) return refuse(kUsage, "--cwd " + *cwd + " is not a directory");
  return path.string();
}

Checked<> apply_timeout(const std::optional<double>& seconds, run::Spec& spec) {
  if (!seconds) return {};
  if (!(*seconds > 0) || *seconds > kTimeoutSecondsMax) return refuse(kUsage, "--timeout: write a number of seconds above 0");
  spec.limits.timeout_ms = std::max<std::int64_t>(1, std::llround(*seconds * 1000));
  return {};
}

Checked<std::int64_t> cost_limit(double dollars) {
  if (!(dollars > 0) || dollars > kCostDollarsMax) return refuse(kUsage, "--max-cost: write an amount of US dollars above 0");
  return std::max<std::int64_t>(1, std::llround(dollars * 1e6));
}

Checked<> apply_recovery(const std::optional<std::string>& policy, run::Spec& spec) {
  if (!policy) return {};
  const auto known = run::parse_recovery(*policy);
  if (!known) return refuse(kUsage, "--recovery " + *policy + ": write resume, retry, ask, fail or continue-with-partial");
  spec.recovery = *known;
  return {};
}

Checked<> check_model(Process& process, const run::Spec& spec) {
  net::HttpClient http(process.io);
  llm::Registry models(
      http, process.time,
      {.environment = process.settings.environment, .configured = process.settings.config.providers, .script_directory = ""});
  const auto endpoint = Endpoints(nullptr, process.settings.environment).of({}, spec);
  if (!endpoint) return refuse(endpoint.error());
  const auto usable = models.usable(*endpoint);
  if (!usable) return refuse(usable.error());
  return {};
}

std::string session_name_of(const run::Spec& spec) { return one_line(spec.input, kNameColumns); }

}  // namespace cli
