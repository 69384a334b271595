#include "tool/file_space.h"

#include <algorithm>

#include "base/text.h"
#include "tool/command_paths.h"

namespace tool {

namespace {

std::vector<std::string_view> parts_of(std::string_view path) {
  auto parts = base::split(path, '/');
  std::erase(parts, std::string_view());
  return {parts.begin(), parts.end()};
}

// The way from one directory to another by names, "../other"; "" where they are the same. Both absolute, without dots.
std::string way(std::string_view from, std::string_view to) {
  const auto here = parts_of(from), there = parts_of(to);
  const auto [up, down] = std::ranges::mismatch(here, there);
  std::string out;
  const auto step = [&out](std::string_view name) { (out += out.empty() ? "" : "/") += name; };
  for (auto at = up; at != here.end(); ++at) step("..");
  for (auto at = down; at != there.end(); ++at) step(*at);
  return out;
}

std::string below(std::string_view whole, std::string_view directory) {
  whole.remove_prefix(directory == "/" ? 1 : std::min(whole.size(), directory.size() + 1));
  return whole.empty() ? "." : std::string(whole);
}

}  // namespace

base::Result<FileSpace> FileSpace::open(const std::string& work_directory, const std::vector<std::string>& roots) {
  auto work = WorkDirectory::open(work_directory);
  if (!work) return std::unexpected(work.error());
  FileSpace space(*std::move(work));
  for (const auto& root : roots) {
    const auto called = "the root '" + shown(root) + "'";
    // No path would ever be found in it, so nobody would be told.
    if (!root.starts_with('/')) return base::fail(base::Errc::invalid_argument, called + " must be an absolute path");
    space.roots_.push_back({root, WorkDirectory::open(root, called)});
  }
  return space;
}

void FileSpace::confine(const std::vector<std::string>& paths) {
  for (auto& [path, directory] : roots_) {
    if (!directory) continue;
    std::vector<std::string> whole;
    for (const auto& given : paths)
      for (const auto& from : {work_.path(), work_.real_path()}) {
        auto allowed = absolute_path(from, given);
        // All of the root is in it, so all of the root is what is allowed there.
        if (!allowed.empty() && lies_in(directory->real_path(), allowed)) allowed = directory->path();
        if (!allowed.empty() && std::ranges::find(whole, allowed) == whole.end()) whole.push_back(std::move(allowed));
      }
    directory->confine(whole);
  }
  work_.confine(paths);
}

FileSpace::Match FileSpace::holder_of(std::string_view whole) const {
  Match best;
  const auto look = [&](const WorkDirectory& directory) {
    for (const std::string_view name : {std::string_view(directory.path()), std::string_view(directory.real_path())})
      if (!name.empty() && lies_in(whole, name) && (!best.directory || name.size() > best.name.size())) best = {&directory, name};
  };
  look(work_);
  for (const auto& root : roots_)
    if (root.directory) look(*root.directory);
  return best;
}

base::Result<Spot> FileSpace::locate(const std::string& whole, std::string_view from, std::string_view given) const {
  if (const auto match = holder_of(whole); match.directory)
    return Spot{match.directory->reached_by(from.empty() ? std::string(match.name) : way(from, match.name)),
                below(whole, match.name)};
  std::string names;
  for (const auto& root : roots_) {
    const auto name = absolute_path("/", root.path);
    if (!root.directory && !name.empty() && lies_in(whole, name)) return std::unexpected(root.directory.error());
    names += (names.empty() ? "" : ", ") + root.path;
  }
  return base::fail(base::Errc::denied,
                    "'" + shown(given) + "' leads outside the work directory and the directories beside it: " + shown(names));
}

base::Result<Spot> FileSpace::find(std::string_view path) const {
  if (roots_.empty()) {
    auto relative = work_.relative(path);
    if (!relative) return std::unexpected(relative.error());
    return Spot{work_, *std::move(relative)};
  }
  if (auto checked = check_path(path); !checked) return std::unexpected(checked.error());
  if (path.starts_with('/')) return locate(absolute_path("/", path), "", path);
  // The roots may be known by names that the work directory is known by only behind its links.
  auto spot = locate(absolute_path(work_.path(), path), work_.path(), path);
  if (spot || work_.real_path().empty() || work_.real_path() == work_.path()) return spot;
  auto behind = locate(absolute_path(work_.real_path(), path), work_.real_path(), path);
  return behind ? std::move(behind) : std::move(spot);
}

}  // namespace tool
