#include "cli/doctor.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/failpoint.h"
#include "base/json.h"
#include "cli/crash_check.h"
#include "cli/harness_check.h"
#include "cli/provider_check.h"
#include "cli/store_command.h"
#include "cli/version.h"

namespace cli {

namespace json = boost::json;

namespace {

constexpr std::uint64_t kDiskBytesMin = 64ull << 20, kDiskBytesWarned = 1ull << 30;

enum class Verdict { ok, warning, broken };

struct Check {
  std::string name;
  Verdict verdict = Verdict::ok;
  std::string detail;
};

std::string_view word(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return "ok";
    case Verdict::warning: return "warning";
    case Verdict::broken: return "broken";
  }
  return "broken";
}

// A place on the disk that is there, for questions about a home that is not yet.
std::string nearest_existing(std::string path) {
  while (path.size() > 1 && access(path.c_str(), F_OK) != 0) path.resize(std::max<std::size_t>(1, path.rfind('/')));
  return path;
}

Check check_home(const std::string& home) {
  struct stat status{};
  if (stat(home.c_str(), &status) != 0) {
    if (errno != ENOENT)
      return {"home", Verdict::broken, home + ": " + std::strerror(errno) + "; set OUTLAST_HOME to a directory of yours"};
    return {"home", Verdict::ok, home + " (made with the first run)"};
  }
  if (!S_ISDIR(status.st_mode)) return {"home", Verdict::broken, home + " is not a directory; set OUTLAST_HOME to one"};
  if (status.st_mode & 077u) return {"home", Verdict::warning, home + " can be read by others; chmod 700 " + home};
  return {"home", Verdict::ok, home};
}

Check check_writable(const std::string& home) {
  const auto place = nearest_existing(home);
  const auto probe = place + "/.outlast-doctor-" + std::to_string(getpid());
  const int fd = open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0;
  const bool full = !written && errno == ENOSPC;
  const std::string reason = written ? "" : std::strerror(errno);
  if (fd >= 0) close(fd);
  unlink(probe.c_str());
  if (!written)
    return {"writable", Verdict::broken,
            place + ": " + reason + (full ? "; make room" : "; set OUTLAST_HOME to a writable directory")};
  return {"writable", Verdict::ok, place};
}

Check check_disk(const std::string& home) {
  struct statvfs status{};
  const auto place = nearest_existing(home);
  if (statvfs(place.c_str(), &status) != 0) return {"disk", Verdict::broken, place + ": " + std::strerror(errno)};
  const auto free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  const auto text = std::to_string(free >> 20) + " MiB free at " + place;
  if (free < kDiskBytesMin) return {"disk", Verdict::broken, text + "; runs cannot be kept: make room"};
  return {"disk", free < kDiskBytesWarned ? Verdict::warning : Verdict::ok, text};
}

Check check_inotify() {
  const int fd = inotify_init1(IN_CLOEXEC);
  if (fd < 0)
    return {"inotify", Verdict::warning,
            std::string(std::strerror(errno)) + ": other processes' events are polled for; raise fs.inotify.max_user_instances"};
  close(fd);
  return {"inotify", Verdict::ok, "available"};
}

aio::Task<int> count_runs(Process& process, Check& check) {
  store::RunFilter filter;
  filter.limit = 1;
  const auto page = co_await process.store->list_runs(filter);
  const auto orphans = co_await process.store->orphans(10'000);
  check.detail = std::to_string(page.total) + " runs";
  if (!orphans.empty()) {
    check.verdict = Verdict::warning;
    check.detail += "; " + std::to_string(orphans.size()) + " wait for an executor: outlast resume --all";
  }
  co_return kOk;
}

Check check_database(Settings settings) {
  Check check{"database", Verdict::ok, "none yet (made with the first run)"};
  if (access((settings.home + "/outlast.db").c_str(), F_OK) != 0 && errno == ENOENT) return check;
  const auto process = Process::open(std::move(settings));
  if (!process) return {"database", Verdict::broken, process.error().message};
  if ((*process)->run(count_runs(**process, check)) != kOk) return {"database", Verdict::broken, "cannot be read"};
  return check;
}

Check check_config(const base::Result<Settings>& settings) {
  if (!settings) return {"config", Verdict::broken, settings.error().message};
  const auto path = settings->home + "/config.yaml";
  if (!settings->config.warnings.empty()) return {"config", Verdict::warning, settings->config.warnings.front()};
  return {"config", Verdict::ok, access(path.c_str(), F_OK) == 0 ? path : "defaults (no " + path + ")"};
}

std::string system_text() {
  utsname name{};
  uname(&name);
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

void print_json(const std::vector<Check>& checks, const std::vector<ProviderCheck>& providers, const std::vector<HarnessCheck>& harnesses, bool fit) {
  json::array list, provider_list, harness_list;
  for (const auto& h : harnesses)
    harness_list.push_back({{"name", h.name}, {"found", h.found}, {"path", h.path}, {"version", h.version}, {"detail", h.detail}});
  for (const auto& check : checks)
    list.push_back({{"name", check.name}, {"verdict", word(check.verdict)}, {"detail", check.detail}});
  for (const auto& p : providers)
    provider_list.push_back({{"name", p.name},
                             {"usable", p.usable},
                             {"key_from", p.key_from.empty() ? json::value() : json::value(p.key_from)},
                             {"detail", p.detail}});
  put_line(base::to_text(json::object{{"ok", fit},
                                      {"version", kVersion},
                                      {"commit", commit().empty() ? json::value() : json::value(commit())},
                                      {"system", system_text()},
                                      {"checks", std::move(list)},
                                      {"providers", std::move(provider_list)},
                                      {"harnesses", std::move(harness_list)}}));
}

void print_text(const std::vector<Check>& checks, const std::vector<ProviderCheck>& providers, const std::vector<HarnessCheck>& harnesses) {
  std::string out = version_line() + "\n" + system_text() + "\n\n";
  for (const auto& check : checks) out += padded(word(check.verdict), 9) + padded(check.name, 14) + harmless(check.detail) + "\n";
  out += "\nproviders\n";
  for (const auto& p : providers) out += padded(p.usable ? "usable" : "-", 9) + padded(p.name, 14) + harmless(p.detail) + "\n";
  out += "\ncoding agents\n";
  for (const auto& h : harnesses) {
    const auto text = (h.version.empty() ? "" : h.version + "  ") + h.path + (h.detail.empty() || h.path.empty() ? h.detail : "  (" + h.detail + ")");
    out += padded(h.found ? "found" : "-", 9) + padded(h.name, 14) + harmless(text) + "\n";
  }
  put(out);
}

int print_failpoints(bool as_json) {
  if (as_json) {
    put_line(base::to_text(json::array(base::kFailpoints.begin(), base::kFailpoints.end())));
    return kOk;
  }
  for (const auto name : base::kFailpoints) put_line(name);
  return kOk;
}

}  // namespace

int run_doctor(const DoctorOptions& options) {
  if (options.failpoints) return print_failpoints(options.json);
  if (options.crash_test) return run_crash_check(options.json);
  auto settings = load_settings();
  std::vector<Check> checks{check_config(settings)};
  std::vector<ProviderCheck> providers;
  std::vector<HarnessCheck> harnesses;
  if (settings) {
    const auto home = settings->home;
    checks.insert(checks.end(), {check_home(home), check_writable(home), check_disk(home), check_inotify()});
    providers = check_providers(*settings);
    harnesses = check_harnesses(*settings);
    checks.push_back(check_database(std::move(*settings)));
  }
  bool fit = true;
  for (const auto& check : checks) fit = fit && check.verdict != Verdict::broken;
  if (options.json)
    print_json(checks, providers, harnesses, fit);
  else
    print_text(checks, providers, harnesses);
  if (!fit) return complain(kFailed, "something is broken: see above");
  return kOk;
}

}  // namespace cli
