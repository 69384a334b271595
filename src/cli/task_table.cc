#include "cli/task_table.h"

#include <algorithm>

#include "cli/columns.h"
#include "cli/output.h"

namespace cli {

namespace {

constexpr std::size_t kNotes = kTaskColumns.size() - 1;
constexpr std::array<std::size_t, kTaskColumns.size()> kColumnsMax = {11, 8, 32, 16, 5, 10, 10, 48};
constexpr std::string_view kBold = "\x1b[1m", kGreen = "\x1b[32m", kRed = "\x1b[31m", kPlain = "\x1b[0m";

void add_note(std::string& notes, const std::string& note) { notes += (notes.empty() ? "" : " ") + note; }

// One line of any length: what stands in a cell cannot look like another row.
std::string cell(std::string_view text) { return one_line(text, text.size() + 1); }

std::string_view color_of(const TaskRow& row) {
  if (row[kNotes].starts_with("[live]")) return kGreen;
  if (row[kNotes].find("[overdue]") != std::string::npos) return kRed;
  return {};
}

std::string line_of(const TaskRow& row, const std::array<std::size_t, kTaskColumns.size()>& widths) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) line += (i ? "  " : "") + padded(row[i], i == kNotes ? 0 : widths[i]);
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

}  // namespace

TaskRow task_row(const store::Assignment& task, const TaskNow& now, const Moment& moment) {
  std::string notes;
  if (now.live.value_or(false)) add_note(notes, "[live]");
  if (!task.due.empty() && task.due < moment.day && task.status != store::AssignmentStatus::done) add_note(notes, "[overdue]");
  if (task.archived) add_note(notes, "[archived]");
  if (!task.waiting_on.empty()) add_note(notes, "waits on " + task.waiting_on);
  if (!task.assignee.empty()) add_note(notes, "@" + task.assignee);
  for (const auto& tag : task.tags) add_note(notes, "#" + tag);
  TaskRow row = {std::string(store::name(task.status)), task.priority, task.slug,           cell(task.project),
                 age(task.created_ms, moment.wall_ms),  task.due,      auto_run(task, now), cell(notes)};
  for (auto& text : row)
    if (text.empty()) text = "-";
  if (notes.empty()) row[kNotes].clear();
  return row;
}

std::string task_table(std::vector<TaskRow> shown, const TableLook& look) {
  std::array<std::size_t, kTaskColumns.size()> widths{};
  TaskRow heading;
  for (std::size_t i = 0; i < heading.size(); ++i) {
    heading[i] = kTaskColumns[i];
    widths[i] = heading[i].size();
    for (auto& row : shown) {
      if (look.cut == Cut::yes) row[i] = one_line(row[i], kColumnsMax[i]);
      widths[i] = std::max(widths[i], columns_of(row[i]));
    }
  }
  const auto colored = [&look](std::string_view color, const std::string& line) {
    if (look.color == Color::no || color.empty()) return line + "\n";
    return std::string(color) + line + std::string(kPlain) + "\n";
  };
  std::string out = colored(kBold, line_of(heading, widths));
  for (const auto& row : shown) out += colored(color_of(row), line_of(row, widths));
  return out;
}

std::string task_tsv(const std::vector<TaskRow>& rows) {
  std::string out;
  for (const auto name : kTaskColumns) out += (out.empty() ? "" : "\t") + std::string(name);
  out += "\n";
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) out += (row[i] == "-" ? "" : row[i]) + (i == kNotes ? "\n" : "\t");
  return out;
}

}  // namespace cli
