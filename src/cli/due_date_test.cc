#include "cli/due_date.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::year;

// A Wednesday.
constexpr Day kToday{year(2026), month(4), day(15)};

std::string coming(std::string_view text, Day today = kToday) {
  const auto found = coming_day(text, today);
  return found ? day_text(*found) : "none";
}
std::string past(std::string_view text, Day today = kToday) {
  const auto found = past_day(text, today);
  return found ? day_text(*found) : "none";
}

TEST(DueDate, WordsAreSeenFromToday) {
  EXPECT_EQ(coming("today"), "2026-04-15");
  EXPECT_EQ(coming("Tomorrow"), "2026-04-16");
  EXPECT_EQ(coming("3d"), "2026-04-18");
  EXPECT_EQ(coming("0d"), "2026-04-15");
  EXPECT_EQ(coming("30d"), "2026-05-15");
  EXPECT_EQ(coming("2031-05-06"), "2031-05-06");
}

TEST(DueDate, AWeekdayIsTheNextOneAndNeverToday) {
  EXPECT_EQ(coming("thursday"), "2026-04-16");
  EXPECT_EQ(coming("sunday"), "2026-04-19");
  EXPECT_EQ(coming("MONDAY"), "2026-04-20");
  EXPECT_EQ(coming("wednesday"), "2026-04-22");
}

TEST(DueDate, MonthsAndYearsEndWhereTheyDo) {
  EXPECT_EQ(coming("tomorrow", Day{year(2027), month(12), day(31)}), "2028-01-01");
  EXPECT_EQ(coming("1d", Day{year(2028), month(2), day(28)}), "2028-02-29");
  EXPECT_EQ(coming("1d", Day{year(2027), month(2), day(28)}), "2027-03-01");
  EXPECT_EQ(coming("2028-02-29"), "2028-02-29");
  EXPECT_EQ(coming("tomorrow", Day{year(9999), month(12), day(31)}), "none");
}

TEST(DueDate, AnythingElseIsNoDay) {
  for (const auto* text : {"",           " ",          "someday",    "mon",         "yesterday",
                           "d",          "-1d",        "+1d",        "1.5d",        "99999999999999999999d",
                           "40000d",     "3w",         "2026-13-01", "2026-02-29",  "2026-4-5",
                           "2026-04-31", "0000-01-01", "1969-12-31", "2026-04-15 ", "20260415",
                           "2026/04/15", "+026-04-15", "2026-+4-15"})
    EXPECT_EQ(coming(text), "none") << text;
}

TEST(DueDate, SinceLooksBack) {
  EXPECT_EQ(past("today"), "2026-04-15");
  EXPECT_EQ(past("yesterday"), "2026-04-14");
  EXPECT_EQ(past("7d"), "2026-04-08");
  EXPECT_EQ(past("wednesday"), "2026-04-15") << "the last one, today included";
  EXPECT_EQ(past("monday"), "2026-04-13");
  EXPECT_EQ(past("thursday"), "2026-04-09");
  EXPECT_EQ(past("2026-01-02"), "2026-01-02");
  EXPECT_EQ(past("tomorrow"), "none");
  EXPECT_EQ(past("36500d"), "none") << "before 1970";
}

TEST(DueDate, TheLocalDayBeginsAtItsMidnight) {
  const auto midnight = midnight_ms(kToday);
  EXPECT_EQ(local_day(midnight), kToday);
  EXPECT_EQ(day_text(local_day(midnight - 1000)), "2026-04-14");
}

}  // namespace
}  // namespace cli
