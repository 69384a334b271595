#include "cli/monitor_table.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "cli/output.h"

namespace cli {

namespace {

constexpr std::size_t kWhoColumns = 30, kWhoColumnsMin = 12, kAgentColumnsMin = 5;
constexpr std::size_t kTextColumnsMin = 10;
constexpr std::int64_t kSinceSecondsMax = 100ll * 366 * 86'400;

std::string id_of(const MonitorRow& row) { return std::string(2 * row.depth, ' ') + row.run_id; }

std::string children_of(const MonitorRow& row) {
  const auto& c = row.children;
  if (!c.total()) return "-";
  return std::to_string(c.total() - c.live()) + "/" + std::to_string(c.total()) +
         (c.failed ? " ✗" + std::to_string(c.failed) : "");
}

std::string_view mark_of(const MonitorRow& row) { return row.orphan ? "! " : row.live ? "* " : "  "; }

// The model is kept as long as it leaves the agent a few letters.
std::string who_of(const MonitorRow& row, std::size_t columns) {
  if (row.agent.empty() || row.model.empty()) return one_line(row.agent + row.model, columns);
  const auto model = one_line(row.model, columns);
  const auto left = std::max(kAgentColumnsMin, columns - std::min(columns, columns_of(model) + 1));
  return one_line(one_line(row.agent, left) + " " + model, columns);
}

std::vector<std::string> cells_of(const MonitorRow& row, std::size_t who_columns, std::int64_t now_ms) {
  const auto end_ms = row.ended_ms ? row.ended_ms : now_ms;
  return {id_of(row),
          row.kind,
          row.status,
          age(row.created_ms, now_ms),
          duration(std::max<std::int64_t>(0, end_ms - row.created_ms)),
          who_of(row, who_columns),
          children_of(row)};
}

using Lines = std::vector<std::vector<std::string>>;

Lines cells_of(const std::vector<MonitorRow>& rows, std::size_t who_columns, std::int64_t now_ms) {
  Lines lines{{"RUN", "KIND", "STATUS", "AGE", "TIME", "AGENT MODEL", "CHILDREN"}};
  for (const auto& row : rows) lines.push_back(cells_of(row, who_columns, now_ms));
  return lines;
}

std::vector<std::size_t> widths_of(const Lines& lines) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], columns_of(line[i]));
  return widths;
}

// All but the text: a mark before them, two blanks behind each.
std::size_t used_by(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), std::size_t{2}, [](std::size_t sum, std::size_t width) { return sum + width + 2; });
}

}  // namespace

std::string monitor_table(const std::vector<MonitorRow>& rows, std::int64_t more, std::size_t columns, std::int64_t now_ms) {
  auto lines = cells_of(rows, kWhoColumns, now_ms);
  auto widths = widths_of(lines);
  // A narrow terminal takes it from who does it; a line that is broken in two is worse.
  if (const auto wanted = used_by(widths) + kTextColumnsMin; wanted > columns) {
    lines = cells_of(rows, std::max(kWhoColumnsMin, kWhoColumns - std::min(kWhoColumns, wanted - columns)), now_ms);
    widths = widths_of(lines);
  }
  const auto used = used_by(widths);
  const auto left = columns > used + kTextColumnsMin ? columns - used : kTextColumnsMin;
  std::string out;
  for (std::size_t n = 0; n < lines.size(); ++n) {
    std::string line(n ? mark_of(rows[n - 1]) : "  ");
    for (std::size_t i = 0; i < widths.size(); ++i) line += padded(lines[n][i], widths[i] + 2);
    const auto text = n == 0 ? "TEXT" : (rows[n - 1].orphan ? "(waiting for an executor) " : "") + rows[n - 1].text;
    line = cut_to(line + one_line(text, left), columns);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  if (more > 0) out += "… and " + std::to_string(more) + " more\n";
  return out;
}

std::string monitor_digest(const std::vector<MonitorRow>& rows, std::int64_t more) {
  std::string digest = std::to_string(more);
  for (const auto& row : rows)
    digest += "\n" + row.run_id + " " + row.status + (row.orphan ? "!" : "") + " " + std::to_string(row.children.running) + " " +
              children_of(row);
  return digest;
}

bool all_done(const std::vector<MonitorRow>& rows) {
  return std::ranges::none_of(rows, [](const MonitorRow& row) { return row.live || row.children.live() > 0; });
}

std::optional<std::int64_t> parse_since(std::string_view text) {
  std::int64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  if (read.ec != std::errc{} || count < 0 || count > kSinceSecondsMax) return std::nullopt;
  const std::string_view unit(read.ptr, static_cast<std::size_t>(text.data() + text.size() - read.ptr));
  const std::int64_t seconds = unit.empty() || unit == "s" ? 1
                               : unit == "m"               ? 60
                               : unit == "h"               ? 3'600
                               : unit == "d"               ? 86'400
                                                           : 0;
  if (!seconds || count > kSinceSecondsMax / seconds) return std::nullopt;
  return count * seconds * 1000;
}

}  // namespace cli
