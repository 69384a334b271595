#pragma once
// A definition file as its author wants to see it before anybody runs it: every problem as a value, and what came of it.
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "app/definition.h"
#include "app/problems.h"

namespace app {

struct CheckedFile {
  std::string file;                        // as it was named
  std::vector<Problem> errors, warnings;   // by position
  std::size_t errors_left_out = 0;         // beyond those told
  std::optional<App> app;                  // where there is no error; a profile is an app of one agent without a name

  bool ok() const { return errors.empty(); }
};

// An app file, or a profile where the name ends with ".md". Errc::not_found, unavailable, invalid_argument (no regular file):
// there is nothing to check.
base::Result<CheckedFile> check_file(const std::string& path, const llm::Environment& environment);

// Files that are served together: an agent that an earlier one defines already is an error of the later one.
void check_together(std::vector<CheckedFile>& files);

}  // namespace app
