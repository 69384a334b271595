#include "cli/problem_lines.h"

#include <algorithm>
#include <tuple>

#include "cli/output.h"

namespace cli {

namespace {

namespace json = boost::json;

struct Line {
  app::Mark mark;
  std::string text;
};

}  // namespace

void print_problems(const FileProblems& problems) {
  std::vector<Line> lines;
  for (const auto& problem : problems.errors) lines.push_back({problem.mark, "error: " + app::to_text(problem, problems.file)});
  for (const auto& problem : problems.warnings)
    lines.push_back({problem.mark, "warning: " + app::to_text(problem, problems.file)});
  std::ranges::sort(lines, {}, [](const Line& line) { return std::tie(line.mark.line, line.mark.column, line.text); });
  for (const auto& line : lines) put_line(harmless(line.text));
  if (problems.errors_left_out)
    put_line("error: ... and " + std::to_string(problems.errors_left_out) + " more (" + problems.file + ")");
}

json::array problems_json(const std::vector<app::Problem>& problems) {
  json::array list;
  for (const auto& problem : problems) {
    json::object one{
        {"path", problem.path}, {"message", problem.message}, {"line", nullptr}, {"column", nullptr}, {"code", nullptr}};
    if (problem.mark.line > 0) one["line"] = problem.mark.line, one["column"] = problem.mark.column;
    if (problem.code) one["code"] = app::name(*problem.code);
    list.push_back(std::move(one));
  }
  return list;
}

std::string counted(std::size_t count, const std::string& word) {
  return (count ? std::to_string(count) : "no") + " " + word + (count == 1 ? "" : "s");
}

}  // namespace cli
