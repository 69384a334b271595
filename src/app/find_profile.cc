// Where profiles lie.
#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "app/definition.h"
#include "app/problems.h"
#include "base/text.h"

namespace app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNamesListedMax = 100;
constexpr std::size_t kEntriesReadMax = 10'000;
constexpr std::size_t kNameBytesMax = 128;

bool plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' && base::valid_utf8(name) &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool present(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::vector<fs::path> upward(const fs::path& from) {
  std::vector<fs::path> directories;
  for (fs::path at = from; !at.empty(); at = at.parent_path()) {
    directories.push_back(at);
    if (at == at.parent_path()) break;
  }
  return directories;
}

void add(std::vector<fs::path>& places, const fs::path& place) {
  if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
}

// The directories of profiles, in the order in which they are asked.
std::vector<fs::path> places(const std::string& cwd, const std::string& home) {
  const auto directories = upward(fs::path(cwd).lexically_normal());
  std::vector<fs::path> found;
  const auto both = [&](const fs::path& directory) {
    add(found, directory / ".outlast/agents");
    add(found, directory / ".lionagi/agents");
  };
  const auto root = std::find_if(directories.begin(), directories.end(), [](const fs::path& d) { return present(d / ".git"); });
  if (root != directories.end()) both(*root);
  for (const auto& directory : directories) both(directory);
  if (!home.empty()) {
    const fs::path own(home);
    add(found, own / "agents");
    // ~/.outlast stands beside ~/.lionagi; a home elsewhere has no such neighbour.
    if (own.filename() == ".outlast") add(found, own.parent_path() / ".lionagi/agents");
  }
  return found;
}

void list_names(const fs::path& place, std::set<std::string>& names) {
  std::error_code ec;
  std::size_t entries = 0;
  for (fs::directory_iterator it(place, ec), end; !ec && it != end && entries < kEntriesReadMax; it.increment(ec), ++entries) {
    const auto& path = it->path();
    const auto stem = path.stem().string();
    if (path.extension() == ".md" && is_file(path) && plain_name(stem)) names.insert(stem);
    const auto name = path.filename().string();
    if (plain_name(name) && is_file(path / (name + ".md"))) names.insert(name);
  }
}

}  // namespace

base::Result<std::string> find_profile(std::string_view name, const std::string& cwd, const std::string& home) {
  const auto candidates = places(cwd, home);
  if (plain_name(name)) {
    const std::string file = std::string(name) + ".md";
    for (const auto& place : candidates)
      for (const auto& path : {place / file, place / std::string(name) / file})
        if (is_file(path)) return path.string();
  }
  std::set<std::string> names;
  for (const auto& place : candidates) list_names(place, names);
  std::string list;
  std::size_t count = 0;
  for (const auto& known : names) {
    if (count++ == kNamesListedMax) {
      list += ", ...";
      break;
    }
    list += (list.empty() ? "" : ", ") + known;
  }
  return base::fail(base::Errc::not_found,
                    "Agent profile '" + shown(name) + "' not found\nAvailable: " + (list.empty() ? "(none)" : list));
}

}  // namespace app
