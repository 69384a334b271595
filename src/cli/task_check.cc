#include "cli/task_check.h"

#include <unistd.h>

#include <csignal>

#include "base/text.h"
#include "process/capture.h"

namespace cli {

namespace {

constexpr std::int64_t kCheckMs = 1'800'000;
constexpr std::size_t kWordsBytes = 4'000;

}  // namespace

aio::Task<Checked<>> pass_check(store::Assignment task) {
  if (task.check.empty()) co_return Checked<>{};
  std::signal(SIGCHLD, SIG_DFL);  // its exit code is wanted
  process::CaptureSpec spec{.argv = {"/bin/sh", "-c", task.check}, .directory = task.work_dir, .environment = {}, .timeout_ms = kCheckMs};
  for (char** at = environ; *at; ++at) spec.environment.emplace_back(*at);
  aio::Offload blocking(1);
  const auto done = co_await process::capture(blocking, std::move(spec));
  if (done.exit_code == 0) co_return Checked<>{};
  const auto words = base::trim(std::string_view(done.standard_output).empty() ? done.standard_error : done.standard_output + done.standard_error);
  const auto how = !done.not_started.empty() ? done.not_started : done.timed_out ? std::string("it takes too long") : "exit code " + std::to_string(done.exit_code.value_or(-1));
  co_return refuse(kFailed, "task '" + task.slug + "' is not marked as done: its check fails (" + task.check + ": " + how + "). Put right what it says, and say so again.\n" +
                                base::utf8_lossy(base::utf8_suffix(words, kWordsBytes)));
}

}  // namespace cli
