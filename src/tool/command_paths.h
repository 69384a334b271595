#pragma once
// The paths that a command line names, held against those that it may name. Lexical: links are not followed. Pure.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tool/shell_syntax.h"

namespace tool {

// `path` from `base`, absolute, without "." and ".."; "" where it leads above the root.
std::string absolute_path(std::string_view base, std::string_view path);

// Whether `path` is `root` or in it. Both absolute, without dots.
bool lies_in(std::string_view path, std::string_view root);
bool lies_in_any(std::string_view path, const std::vector<std::string>& roots, std::string_view work_directory);

// What of the line leads out of `allowed`; nothing: all stays inside. The line has been understood without doubt.
std::optional<std::string> path_outside(const CommandLine& line, const std::vector<std::string>& allowed,
                                        std::string_view work_directory, std::string_view directory);

}  // namespace tool
