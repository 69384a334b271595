#include "app/named_files.h"

#include <algorithm>

#include "app/problems.h"
#include "base/text.h"

namespace app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNamesListedMax = 100;
constexpr std::size_t kEntriesReadMax = 10'000;
constexpr std::size_t kNameBytesMax = 128;

bool present(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
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

}  // namespace

bool plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' && base::valid_utf8(name) &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::vector<fs::path> named_file_places(const std::string& cwd, const std::string& home, std::string_view folder) {
  const auto directories = upward(fs::path(cwd).lexically_normal());
  std::vector<fs::path> found;
  const auto both = [&](const fs::path& directory) {
    add(found, directory / ".outlast" / folder);
    add(found, directory / ".lionagi" / folder);
  };
  const auto root = std::find_if(directories.begin(), directories.end(), [](const fs::path& d) { return present(d / ".git"); });
  if (root != directories.end()) both(*root);
  for (const auto& directory : directories) both(directory);
  if (!home.empty()) {
    const fs::path own(home);
    add(found, own / folder);
    // ~/.outlast stands beside ~/.lionagi; a home elsewhere has no such neighbour.
    if (own.filename() == ".outlast") add(found, own.parent_path() / ".lionagi" / folder);
  }
  return found;
}

std::vector<fs::path> entries_of(const fs::path& place) {
  std::vector<fs::path> entries;
  std::error_code ec;
  for (fs::directory_iterator it(place, ec), end; !ec && it != end && entries.size() < kEntriesReadMax; it.increment(ec))
    entries.push_back(it->path());
  return entries;
}

std::string not_found_message(std::string_view what, std::string_view name, const std::set<std::string>& known) {
  std::string list;
  std::size_t count = 0;
  for (const auto& one : known) {
    if (count++ == kNamesListedMax) {
      list += ", ...";
      break;
    }
    list += (list.empty() ? "" : ", ") + one;
  }
  return std::string(what) + " '" + shown(name) + "' not found\nAvailable: " + (list.empty() ? "(none)" : list);
}

}  // namespace app
