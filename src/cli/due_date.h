#pragma once
// Days as people write them: "tomorrow", "friday", "3d", "2031-05-06". Pure but for the two functions that know the time zone.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cli {

using Day = std::chrono::year_month_day;

// When something is due: a date, "today", "tomorrow", a weekday (the next one after today: said on a monday, "monday" is in a
// week), or "3d" (in three days). Any case. Nothing: it is none of these.
std::optional<Day> coming_day(std::string_view text, Day today);
// Since when: a date, "today", "yesterday", a weekday (the last one, today included), or "7d" (seven days ago).
std::optional<Day> past_day(std::string_view text, Day today);

std::string day_text(Day day);  // "2031-05-06"

// The day that it is in the time zone of this process, and when a day begins there.
Day local_day(std::int64_t wall_ms);
std::int64_t midnight_ms(Day day);

inline constexpr std::string_view kDueWords = "YYYY-MM-DD, today, tomorrow, monday ... sunday, or 3d";
inline constexpr std::string_view kSinceWords = "YYYY-MM-DD, today, yesterday, monday ... sunday, or 7d";

}  // namespace cli
