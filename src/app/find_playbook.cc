// Where playbooks lie.
#include <map>
#include <set>

#include "app/named_files.h"
#include "app/playbook.h"

namespace app {

namespace {

std::string name_in(const std::filesystem::path& path) {
  const auto file = path.filename().string();
  return file.ends_with(kPlaybookEnding) ? file.substr(0, file.size() - kPlaybookEnding.size()) : "";
}

}  // namespace

base::Result<std::string> find_playbook(std::string_view name, const std::string& cwd, const std::string& home) {
  const auto places = named_file_places(cwd, home, "playbooks");
  if (plain_name(name))
    for (const auto& place : places)
      if (const auto path = place / (std::string(name) + std::string(kPlaybookEnding)); is_file(path)) return path.string();
  std::set<std::string> names;
  for (const auto& found : list_playbooks(cwd, home)) names.insert(found.name);
  return base::fail(base::Errc::not_found, not_found_message("Playbook", name, names));
}

std::vector<FoundPlaybook> list_playbooks(const std::string& cwd, const std::string& home) {
  std::map<std::string, std::string> found;
  for (const auto& place : named_file_places(cwd, home, "playbooks"))
    for (const auto& path : entries_of(place))
      // The first of a name is the one that is run.
      if (auto name = name_in(path); plain_name(name) && is_file(path)) found.emplace(std::move(name), path.string());
  std::vector<FoundPlaybook> list;
  for (const auto& [name, file] : found) list.push_back({name, file});
  return list;
}

}  // namespace app
