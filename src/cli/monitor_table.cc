#include "cli/monitor_table.h"

#include <algorithm>
#include <charconv>

#include "cli/output.h"

namespace cli {

namespace {

constexpr std::size_t kWhoColumns = 30;
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

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

std::vector<std::string> cells_of(const MonitorRow& row, std::int64_t now_ms) {
  const auto end_ms = row.ended_ms ? row.ended_ms : now_ms;
  return {id_of(row),
          row.kind,
          row.status,
          age(row.created_ms, now_ms),
          duration(std::max<std::int64_t>(0, end_ms - row.created_ms)),
          one_line(row.who, kWhoColumns),
          children_of(row)};
}

}  // namespace

std::string monitor_table(const std::vector<MonitorRow>& rows, std::int64_t more, std::size_t columns, std::int64_t now_ms) {
  std::vector<std::vector<std::string>> lines{{"RUN", "KIND", "STATUS", "AGE", "TIME", "AGENT MODEL", "CHILDREN"}};
  for (const auto& row : rows) lines.push_back(cells_of(row, now_ms));
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], columns_of(line[i]));
  std::size_t used = 2;
  for (const auto width : widths) used += width + 2;
  const auto left = columns > used + kTextColumnsMin ? columns - used : kTextColumnsMin;
  std::string out;
  for (std::size_t n = 0; n < lines.size(); ++n) {
    std::string line(n ? mark_of(rows[n - 1]) : "  ");
    for (std::size_t i = 0; i < widths.size(); ++i) line += padded(lines[n][i], widths[i] + 2);
    const auto text = n == 0 ? "TEXT" : (rows[n - 1].orphan ? "(waiting for an executor) " : "") + rows[n - 1].text;
    line += one_line(text, left);
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
