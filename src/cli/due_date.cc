#include "cli/due_date.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "base/text.h"

namespace cli {

namespace {

namespace chrono = std::chrono;

constexpr std::int64_t kDaysMax = 36'500;  // a century
constexpr int kYearMin = 1970, kYearMax = 9999;
constexpr std::array<std::string_view, 7> kWeekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                       "thursday", "friday", "saturday"};

std::optional<Day> written_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  for (const std::size_t i : {0u, 1u, 2u, 3u, 5u, 6u, 8u, 9u})
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  const auto number = [text](std::size_t at, std::size_t digits) {
    return static_cast<int>(*base::parse_int(text.substr(at, digits)));
  };
  const Day day{chrono::year(number(0, 4)), chrono::month(static_cast<unsigned>(number(5, 2))),
                chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!day.ok() || number(0, 4) < kYearMin) return std::nullopt;
  return day;
}

// "3d"
std::optional<chrono::days> written_days(std::string_view text) {
  if (text.size() < 2 || text.back() != 'd' || text[0] < '0' || text[0] > '9') return std::nullopt;
  const auto count = base::parse_int(text.substr(0, text.size() - 1));
  if (!count || *count > kDaysMax) return std::nullopt;
  return chrono::days(*count);
}

std::optional<chrono::weekday> written_weekday(std::string_view text) {
  const auto found = std::ranges::find(kWeekdays, text);
  if (found == kWeekdays.end()) return std::nullopt;
  return chrono::weekday(static_cast<unsigned>(found - kWeekdays.begin()));
}

std::optional<Day> bounded(chrono::sys_days days) {
  const Day day(days);
  const auto year = static_cast<int>(day.year());
  if (year < kYearMin || year > kYearMax) return std::nullopt;
  return day;
}

}  // namespace

std::optional<Day> coming_day(std::string_view text, Day today) {
  const auto word = base::to_lower(text);
  const chrono::sys_days now(today);
  if (word == "today") return today;
  if (word == "tomorrow") return bounded(now + chrono::days(1));
  if (const auto weekday = written_weekday(word)) {
    const auto ahead = *weekday - chrono::weekday(now);  // 0 ... 6 days
    return bounded(now + (ahead.count() ? ahead : chrono::days(7)));
  }
  if (const auto days = written_days(word)) return bounded(now + *days);
  return written_date(word);
}

std::optional<Day> past_day(std::string_view text, Day today) {
  const auto word = base::to_lower(text);
  const chrono::sys_days now(today);
  if (word == "today") return today;
  if (word == "yesterday") return bounded(now - chrono::days(1));
  if (const auto weekday = written_weekday(word)) return bounded(now - (chrono::weekday(now) - *weekday));
  if (const auto days = written_days(word)) return bounded(now - *days);
  return written_date(word);
}

std::string day_text(Day day) {
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                static_cast<unsigned>(day.day()));
  return text;
}

Day local_day(std::int64_t wall_ms) {
  const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return {chrono::year(parts.tm_year + 1900), chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
          chrono::day(static_cast<unsigned>(parts.tm_mday))};
}

std::int64_t midnight_ms(Day day) {
  std::tm parts{};
  parts.tm_year = static_cast<int>(day.year()) - 1900;
  parts.tm_mon = static_cast<int>(static_cast<unsigned>(day.month())) - 1;
  parts.tm_mday = static_cast<int>(static_cast<unsigned>(day.day()));
  parts.tm_isdst = -1;
  return static_cast<std::int64_t>(std::mktime(&parts)) * 1000;
}

}  // namespace cli
