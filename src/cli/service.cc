#include "cli/service.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "cli/output.h"
#include "cli/process.h"

namespace cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* kUnit = "outlast.service";

// In double quotes, with what systemd would expand or end the word at escaped.
std::string quoted(const std::string& word) {
  std::string out = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '%') out += '%';
    if (c == '$') out += '$';
    out += c;
  }
  return out + '"';
}

fs::path unit_path(const Settings& settings) {
  const auto config = settings.environment("XDG_CONFIG_HOME");
  const auto user = settings.environment("HOME");
  return fs::path(config && !config->empty() ? *config : user.value_or("") + "/.config") / "systemd" / "user" / kUnit;
}

// `systemctl --user WORDS`; its exit code, or -1 where there is none.
int systemctl(std::vector<std::string> words) {
  words.insert(words.begin(), {"systemctl", "--user"});
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  if (posix_spawnp(&pid, "systemctl", nullptr, nullptr, arguments.data(), environ) != 0) return -1;
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int install(const Settings& settings, const std::string& unit) {
  const auto path = unit_path(settings);
  std::error_code ec;
  fs::create_directories(path.parent_path(), ec);
  std::ofstream file(path);
  file << unit;
  file.close();
  if (!file) return complain(kUnusable, "cannot write " + path.string() + ": " + std::strerror(errno));
  put_line(path.string());
  if (systemctl({"daemon-reload"}) != 0 || systemctl({"enable", "--now", kUnit}) != 0)
    return complain(kUnusable,
                    "the unit is written, but systemd did not take it (is there a user session?); later: systemctl --user enable "
                    "--now outlast");
  note("it runs now and after every login; to start it at boot: loginctl enable-linger");
  return kOk;
}

int uninstall(const Settings& settings) {
  const auto path = unit_path(settings);
  if (!fs::exists(path)) return complain(kUsage, "not installed: " + path.string() + " is not there");
  systemctl({"disable", "--now", kUnit});
  std::error_code ec;
  if (!fs::remove(path, ec)) return complain(kUnusable, "cannot remove " + path.string() + ": " + ec.message());
  systemctl({"daemon-reload"});
  put_line("removed " + path.string());
  return kOk;
}

}  // namespace

std::string service_unit(const std::string& program, const std::string& home, const std::string& directory,
                         const std::vector<std::string>& serve) {
  std::string command = quoted(program) + " serve";
  for (const auto& word : serve) command += " " + quoted(word);
  return "[Unit]\nDescription=Outlast: agent runs that outlast the terminal\n\n[Service]\nExecStart=" + command +
         "\nWorkingDirectory=" + directory + "\nEnvironment=" + quoted("OUTLAST_HOME=" + home) +
         "\n# Commands that runs have started outlive the server: only the server itself is stopped.\nKillMode=process\nDelegate=yes\n"
         "Restart=always\nRestartSec=1\nTimeoutStopSec=20\n\n[Install]\nWantedBy=default.target\n";
}

int run_service(const ServiceOptions& options) {
  const auto settings = load_settings();
  if (!settings) return complain(kUnusable, settings.error().message);
  if (options.action == "uninstall") return uninstall(*settings);
  if (options.action == "status") {
    const int code = systemctl({"status", "--no-pager", kUnit});
    return code < 0 ? complain(kUnusable, "there is no systemctl here") : code;
  }
  if (options.action != "install") return complain(kUsage, "write install, uninstall or status");
  std::error_code ec;
  const auto program = fs::read_symlink("/proc/self/exe", ec).string();
  const auto unit = service_unit(program, settings->home, fs::current_path(ec).string(), options.serve);
  if (!options.print) return install(*settings, unit);
  put(unit);
  return kOk;
}

}  // namespace cli
