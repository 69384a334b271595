#include "cli/foreign_sessions.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/json.h"

namespace cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kUuidBytes = 36;
constexpr std::size_t kHeadBytes = 256 << 10;  // of a file, in which its directory is looked for
constexpr std::size_t kFilesMax = 100'000;     // looked at in all
constexpr int kDepthMax = 4;

bool is_uuid(std::string_view text) {
  if (text.size() != kUuidBytes) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-') || (!dash && !std::isxdigit(static_cast<unsigned char>(text[i])))) return false;
  }
  return true;
}

struct File {
  std::string path;
  ForeignSession session;
};

// Files whose names end with the id of a session.
void find(const std::string& top, std::string_view harness, std::string_view prefix, std::vector<File>& found) {
  std::error_code ec;
  const auto options = fs::directory_options::skip_permission_denied;
  std::size_t looked = 0;
  for (fs::recursive_directory_iterator at(top, options, ec), end; !ec && at != end && looked < kFilesMax; at.increment(ec), ++looked) {
    if (at.depth() >= kDepthMax) at.disable_recursion_pending();
    const auto name = at->path().filename().string();
    if (!name.ends_with(".jsonl") || !name.starts_with(prefix)) continue;
    const auto stem = std::string_view(name).substr(0, name.size() - 6);
    const auto id = stem.size() < kUuidBytes ? std::string_view() : stem.substr(stem.size() - kUuidBytes);
    struct stat st{};
    if (!is_uuid(id) || (prefix.empty() && id != stem) || stat(at->path().c_str(), &st) != 0 || !S_ISREG(st.st_mode)) continue;
    const auto changed_ms = static_cast<std::int64_t>(st.st_mtim.tv_sec) * 1'000 + st.st_mtim.tv_nsec / 1'000'000;
    found.push_back({at->path().string(), {std::string(harness), std::string(id), {}, changed_ms}});
  }
}

// The first "cwd" of its lines: Claude Code has it in each message, Codex in the first line's payload.
std::string directory_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(kHeadBytes, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  for (std::string_view rest = head; !rest.empty();) {
    const auto end = rest.find('\n');
    if (end == rest.npos) break;
    const auto line = base::parse_json(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    const auto* object = line ? line->if_object() : nullptr;
    const auto* payload = object ? base::object_field(*object, "payload") : nullptr;
    for (const auto* in : {object, payload})
      if (auto cwd = in ? base::text_or_empty(*in, "cwd") : ""; !cwd.empty()) return cwd;
  }
  return {};
}

}  // namespace

std::vector<ForeignSession> foreign_sessions(const Settings& settings, std::size_t limit) {
  const auto home = settings.environment("HOME").value_or("");
  std::vector<File> files;
  find(settings.environment("CLAUDE_CONFIG_DIR").value_or(home + "/.claude") + "/projects", "claude", "", files);
  find(settings.environment("CODEX_HOME").value_or(home + "/.codex") + "/sessions", "codex", "rollout-", files);
  std::ranges::sort(files, std::greater(), [](const File& file) { return file.session.changed_ms; });
  if (files.size() > limit) files.resize(limit);
  std::vector<ForeignSession> sessions;
  for (auto& file : files) {
    file.session.directory = directory_in(file.path);
    sessions.push_back(std::move(file.session));
  }
  return sessions;
}

}  // namespace cli
