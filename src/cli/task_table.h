#pragma once
// The table of `outlast task list`, and its rows for programs. Pure.
#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/task_view.h"

namespace cli {

inline constexpr std::array<std::string_view, 8> kTaskColumns = {"STATUS", "PRIORITY", "SLUG", "PROJECT",
                                                                 "AGE",    "DUE",      "AUTO", "NOTES"};
using TaskRow = std::array<std::string, kTaskColumns.size()>;

struct Moment {
  std::int64_t wall_ms = 0;
  std::string day;  // YYYY-MM-DD where the reader is
};

// NOTES: "[live]", "[overdue]", "[archived]", who it waits for, who does it, its tags.
TaskRow task_row(const store::Assignment& task, const TaskNow& now, const Moment& moment);

enum class Cut { no, yes };
enum class Color { no, yes };
struct TableLook {
  Cut cut = Cut::no;  // long words are cut so that a row fits a line
  Color color = Color::no;
};
std::string task_table(std::vector<TaskRow> rows, const TableLook& look);
// The same with tabs between, a line each after one with the columns' names.
std::string task_tsv(const std::vector<TaskRow>& rows);

}  // namespace cli
