#include "cli/last_branch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "engine/projection_manifest.h"
#include "store/write_lock.h"

namespace cli {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::size_t kProjectsMax = 200;

std::string project_of(const std::string& cwd) {
  std::error_code ec;
  const fs::path from(cwd);
  for (fs::path at = from; !at.empty(); at = at.parent_path()) {
    if (fs::exists(at / ".git", ec)) return at.string();
    if (at == at.parent_path()) break;
  }
  return cwd;
}

json::object read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  auto value = base::parse_json(text.str());
  return value && value->is_object() ? std::move(value->get_object()) : json::object{};
}

void replace(const std::string& path, const std::string& content) {
  const auto passing = path + ".new";
  const auto fail = [&path] { throw base::Broken("cannot write " + path + ": " + std::strerror(errno)); };
  const int fd = open(passing.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) fail();
  const bool written = write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()) && fsync(fd) == 0;
  close(fd);
  if (!written || rename(passing.c_str(), path.c_str()) != 0) fail();
}

// The projects used least recently go first.
void bound(json::object& projects) {
  while (projects.size() > kProjectsMax) {
    auto oldest = projects.begin();
    for (auto at = projects.begin(); at != projects.end(); ++at) {
      const auto used = [](const json::key_value_pair& p) {
        return p.value().is_object() ? base::int_or_zero(p.value().get_object(), "at") : 0;
      };
      if (used(*at) < used(*oldest)) oldest = at;
    }
    projects.erase(oldest);
  }
}

}  // namespace

std::vector<std::string> LastBranch::used_last(const std::string& cwd) const {
  const auto pointer = read(path());
  std::vector<std::string> ids;
  if (const auto* projects = base::object_field(pointer, "projects"))
    if (const auto* here = base::object_field(*projects, project_of(cwd))) ids.push_back(base::text_or_empty(*here, "branch_id"));
  ids.push_back(base::text_or_empty(pointer, "branch_id"));
  std::erase(ids, "");
  return ids;
}

void LastBranch::use(const std::string& cwd, const std::string& run_id, const std::string& branch_id) const {
  const auto locks = home_ + "/locks";
  if (mkdir(locks.c_str(), 0700) != 0 && errno != EEXIST)
    throw base::Broken("cannot make " + locks + ": " + std::strerror(errno));
  store::WriteLock lock(locks + "/last_branch");
  const store::WriteLock::Hold hold(lock);
  auto pointer = read(path());
  pointer["run_id"] = run_id;
  pointer["branch_id"] = branch_id;
  auto& slot = pointer["projects"];
  if (!slot.is_object()) slot.emplace_object();
  auto& projects = slot.get_object();
  projects[project_of(cwd)] = json::object{{"run_id", run_id}, {"branch_id", branch_id}, {"at", base::SystemClock().wall_ms()}};
  bound(projects);
  replace(path(), engine::indented(pointer));
}

}  // namespace cli
