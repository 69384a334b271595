#include "cli/task_desk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "harness/harness.h"

namespace cli {

namespace {

namespace fs = std::filesystem;

constexpr int kChangesMax = 100;  // attempts against others that change the same task
constexpr mode_t kFileMode = 0600;

Failure task_failure(const base::Error& error) {
  if (error.code == base::Errc::not_found)
    return {kFailed, error.message + "; `outlast task list` shows those that there are, `outlast task add \"NAME\"` makes one"};
  if (error.code == base::Errc::ambiguous) return {kFailed, error.message + "; write more of it"};
  return {kFailed, error.message};
}

base::Result<> unusable(const std::string& path) {
  return base::fail(base::Errc::unavailable, path + ": " + std::strerror(errno));
}

std::string brief_text(const store::Assignment& task) {
  return "# " + task.name +
         "\n\n"
         "What is to be done, and why:\n\n\n"
         "Done when:\n\n\n"
         "Where to look:\n\n";
}

// Whole or not at all, and never in the place of one that is there: whoever writes the brief keeps it.
base::Result<> write_brief(const std::string& path, const std::string& text) {
  if (access(path.c_str(), F_OK) == 0) return {};
  const auto draft = path + "." + std::to_string(getpid());
  const int fd = open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (fd < 0) return unusable(draft);
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  close(fd);
  const bool placed = written && (link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const auto result = placed ? base::Result<>{} : unusable(path);
  unlink(draft.c_str());
  return result;
}

}  // namespace

bool in_background_mode(const Settings& settings) { return settings.environment("OUTLAST_TERM") == "bg"; }

aio::Task<Checked<store::Assignment>> find_task(Process& process, std::string reference) {
  auto found = co_await process.store->find_assignment(std::move(reference));
  if (!found) co_return std::unexpected(task_failure(found.error()));
  co_return *std::move(found);
}

aio::Task<Checked<store::Assignment>> task_here(Process& process) {
  const auto& environment = process.settings.environment;
  std::string looked_at;
  for (const auto* harness : harness::all()) {
    const auto variable = harness->session_variable();
    const auto session = variable.empty() ? std::nullopt : environment(variable);
    if (!session) continue;
    auto found = co_await process.store->assignment_of_session(*session);
    if (found) co_return *std::move(found);
    looked_at += (looked_at.empty() ? "" : ", ") + std::string(variable) + "=" + *session;
  }
  if (const auto slug = environment("OUTLAST_TASK")) {
    auto found = co_await process.store->find_assignment(*slug);
    if (found) co_return *std::move(found);
    looked_at += (looked_at.empty() ? "" : ", ") + std::string("OUTLAST_TASK=") + *slug;
  }
  if (looked_at.empty())
    co_return refuse(kUsage, "name a task: this is no session of one. `outlast task list` shows those that there are");
  co_return refuse(kFailed, "this session (" + looked_at + ") is bound to no task; name one, see `outlast task list`");
}

aio::Task<Checked<store::Assignment>> task_of(Process& process, const std::optional<std::string>& reference) {
  if (reference) co_return co_await find_task(process, *reference);
  co_return co_await task_here(process);
}

aio::Task<Checked<store::Assignment>> change_task(Process& process, store::Assignment task, const TaskChange& change) {
  const auto slug = task.slug;
  for (int attempt = 0; attempt < kChangesMax; ++attempt) {
    auto changed = task;
    TaskEntries entries;
    if (const auto good = change(changed, entries); !good) co_return std::unexpected(good.error());
    auto done = co_await process.store->change_assignment(std::move(changed), std::move(entries));
    if (done) co_return *std::move(done);
    if (done.error().code != base::Errc::conflict) co_return std::unexpected(task_failure(done.error()));
    auto present = co_await process.store->find_assignment(slug);
    if (!present) co_return std::unexpected(task_failure(present.error()));
    // Unchanged and yet refused: what is wanted is not possible (an alias that is taken).
    if (present->version == task.version) co_return refuse(kFailed, done.error().message + "; choose another");
    task = *std::move(present);
  }
  co_return refuse(kFailed, "task '" + slug + "' is changed by others all the time; try again");
}

std::string task_directory(const Settings& settings, std::string_view slug) {
  return settings.home + "/tasks/" + std::string(slug);
}

std::string task_updates(const store::Assignment& task) { return task.brief.substr(0, task.brief.rfind('/')) + "/updates"; }

base::Result<> make_directory(const std::string& path) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (!ec && fs::is_directory(path, ec)) return {};
  return base::fail(base::Errc::unavailable, path + ": " + (ec ? ec.message() : "is not a directory"));
}

base::Result<> make_task_files(const store::Assignment& task) {
  if (auto made = make_directory(task_updates(task)); !made) return made;
  return write_brief(task.brief, brief_text(task));
}

}  // namespace cli
