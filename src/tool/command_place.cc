#include "tool/command_place.h"

#include <algorithm>
#include <filesystem>

#include "tool/command_paths.h"
#include "tool/work_directory.h"

namespace tool {

namespace {

// Without links, as far as it exists.
std::string real(const std::string& path) {
  std::error_code ec;
  const auto canonical = std::filesystem::weakly_canonical(path, ec);
  return ec ? path : absolute_path("/", canonical.string());
}

bool is_inside(const CommandPlace& place, const std::vector<std::string>& roots) {
  const auto directory = real(place.directory);
  return std::ranges::any_of(roots, [&](const std::string& root) {
    const auto whole = absolute_path(place.work_directory, root);
    return !whole.empty() && lies_in(directory, real(whole));
  });
}

std::string list(const std::vector<std::string>& roots) {
  std::string text;
  for (const auto& root : roots) text += (text.empty() ? "" : ", ") + root;
  return shown(text);
}

}  // namespace

std::optional<std::string> refuse(const run::ShellSettings& settings, const std::string& command, const CommandPlace& place) {
  for (const auto* roots : {&settings.allowed_roots, &settings.allowed_paths})
    if (!roots->empty() && !is_inside(place, *roots))
      return "not allowed: '" + shown(place.directory) +
             "' is not inside the directories where commands may run: " + list(*roots) + ". Give one of them as cwd.";
  return refuse_command(settings, command, place);
}

CommandPlace command_place(const std::string& work_directory, const std::string& cwd) {
  auto directory = absolute_path(work_directory, cwd);
  return {.work_directory = work_directory, .directory = directory.empty() ? "/" : std::move(directory)};
}

}  // namespace tool
