// Where profiles lie.
#include <set>
#include <string>

#include "app/definition.h"
#include "app/named_files.h"

namespace app {

namespace {

void list_names(const std::filesystem::path& place, std::set<std::string>& names) {
  for (const auto& path : entries_of(place)) {
    const auto stem = path.stem().string();
    if (path.extension() == ".md" && is_file(path) && plain_name(stem)) names.insert(stem);
    const auto name = path.filename().string();
    if (plain_name(name) && is_file(path / (name + ".md"))) names.insert(name);
  }
}

}  // namespace

std::vector<std::string> profile_names(const std::string& cwd, const std::string& home) {
  std::set<std::string> names;
  for (const auto& place : named_file_places(cwd, home, "agents")) list_names(place, names);
  return {names.begin(), names.end()};
}

base::Result<std::string> find_profile(std::string_view name, const std::string& cwd, const std::string& home) {
  const auto places = named_file_places(cwd, home, "agents");
  if (plain_name(name)) {
    const std::string file = std::string(name) + ".md";
    for (const auto& place : places)
      for (const auto& path : {place / file, place / std::string(name) / file})
        if (is_file(path)) return path.string();
  }
  std::set<std::string> names;
  for (const auto& place : places) list_names(place, names);
  return base::fail(base::Errc::not_found, not_found_message("Agent profile", name, names));
}

}  // namespace app
