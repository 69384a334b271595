#pragma once
// The problems of a definition file, as the commands show them that look at one.
#include <boost/json.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "app/problems.h"

namespace cli {

// By reference: of a checked file.
struct FileProblems {
  const std::string& file;
  const std::vector<app::Problem>&errors, &warnings;
  std::size_t errors_left_out = 0;
};
// "error: …" and "warning: …" on stdout, by position.
void print_problems(const FileProblems& problems);

// [{path, message, line, column, code}], null where there is none.
boost::json::array problems_json(const std::vector<app::Problem>& problems);

// "no files", "1 file", "2 files".
std::string counted(std::size_t count, const std::string& word);

}  // namespace cli
