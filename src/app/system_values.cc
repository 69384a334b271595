// The values of {{sys.X}}.
#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>

#include "app/templates.h"
#include "base/clock.h"

namespace app {

namespace {

std::string iso_date(std::int64_t wall_ms) { return base::iso_utc(wall_ms).substr(0, 10); }
std::string iso_time(std::int64_t wall_ms) { return base::iso_utc(wall_ms).substr(11, 8); }

std::string last_component(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

SystemValues system_values(const llm::Environment& environment) {
  const auto now = base::SystemClock().wall_ms();
  return [environment, now](std::string_view name) -> std::optional<std::string> {
    const auto variable = [&](std::string_view key, std::string otherwise) {
      auto value = environment ? environment(key) : std::nullopt;
      return value && !value->empty() ? *value : otherwise;
    };
    utsname machine{};
    uname(&machine);
    std::error_code ignored;
    if (name == "timestamp") return base::iso_utc(now);
    if (name == "date") return iso_date(now);
    if (name == "time") return iso_time(now);
    if (name == "hostname") return machine.nodename;
    if (name == "platform") return "linux";
    if (name == "os") return machine.sysname;
    if (name == "arch") return machine.machine;
    if (name == "runtime_version" || name == "outlast_version") return OUTLAST_VERSION;
    if (name == "cwd") return std::filesystem::current_path(ignored).string();
    if (name == "user") return variable("USER", "unknown");
    if (name == "pid") return std::to_string(getpid());
    if (name == "home") return variable("HOME", "/");
    if (name == "tmpdir" || name == "temp_dir") return variable("TMPDIR", "/tmp");
    if (name == "locale") return variable("LANG", variable("LC_ALL", "C"));
    if (name == "shell") return variable("SHELL", "/bin/sh");
    if (name == "shell_family") return last_component(variable("SHELL", "/bin/sh"));
    if (name == "path_sep") return "/";
    if (name == "is_linux") return "true";
    if (name == "is_windows" || name == "is_macos") return "false";
    return std::nullopt;
  };
}

}  // namespace app
