#pragma once
// Definition files that are found by their name: in a folder of .outlast, then of .lionagi, of the git root, of each directory
// from the current one upward, and of the home.
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace app {

// A name is no path, and shows nothing that a terminal would obey.
bool plain_name(std::string_view name);

bool is_file(const std::filesystem::path& path);

// The directories that may hold such files, in the order in which they are asked. `folder`: "agents", "playbooks".
std::vector<std::filesystem::path> named_file_places(const std::string& cwd, const std::string& home, std::string_view folder);

// The entries of a directory, as many as are worth reading, in no order; none where it cannot be read.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& place);

// "WHAT 'x' not found\nAvailable: a, b".
std::string not_found_message(std::string_view what, std::string_view name, const std::set<std::string>& known);

}  // namespace app
