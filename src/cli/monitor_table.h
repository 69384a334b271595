#pragma once
// What `outlast monitor` shows, as text. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/types.h"

namespace cli {

struct MonitorRow {
  std::string run_id, kind, status;
  std::string agent, model;  // "": none
  std::string text;          // what it was asked to do
  std::int64_t created_ms = 0, ended_ms = 0;
  std::size_t depth = 0;  // below the run that was asked for
  bool live = false, orphan = false;
  store::ChildCounts children;
};

// One line for each row, none wider than `columns` on a terminal: of long names the end is left out first, then of the whole line. And "… and N more" where there are more.
std::string monitor_table(const std::vector<MonitorRow>& rows, std::int64_t more, std::size_t columns, std::int64_t now_ms);

// What must differ for the table to be worth printing again: not the times that go by.
std::string monitor_digest(const std::vector<MonitorRow>& rows, std::int64_t more);

// Whether all that is shown has ended.
bool all_done(const std::vector<MonitorRow>& rows);

// "90", "90s", "30m", "1h", "2d" in milliseconds; nothing for what is no such time.
std::optional<std::int64_t> parse_since(std::string_view text);

}  // namespace cli
