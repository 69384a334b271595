#include "harness/failure.h"

#include <gtest/gtest.h>

#include <string>

namespace harness {
namespace {

using run::TurnOutcome;

TEST(Failure, AStatusDecides) {
  EXPECT_EQ(failure_of(401, "").outcome, TurnOutcome::denied);
  EXPECT_EQ(failure_of(403, "rate limit").outcome, TurnOutcome::denied);
  EXPECT_EQ(failure_of(429, "").outcome, TurnOutcome::limited);
  for (const int status : {408, 500, 502, 503, 529}) EXPECT_EQ(failure_of(status, "").outcome, TurnOutcome::again) << status;
  EXPECT_EQ(failure_of(400, "").outcome, TurnOutcome::failed);
  EXPECT_EQ(failure_of(std::nullopt, "").outcome, TurnOutcome::failed);
}

TEST(Failure, AStatusIsFoundInTheWords) {
  for (const auto* text : {"unexpected status 401 Unauthorized", "API Error: 403 no", "Request rejected (401)", R"({"error":{"code": 403}})", "HTTP 401"})
    EXPECT_EQ(failure_of({}, text).outcome, TurnOutcome::denied) << text;
  EXPECT_EQ(failure_of({}, "exceeded retry limit, last status: 429 Too Many Requests").outcome, TurnOutcome::limited);
  EXPECT_EQ(failure_of({}, "unexpected status 503 Service Unavailable").outcome, TurnOutcome::again);
  EXPECT_EQ(failure_of({}, "status 4010, code 99, error in line 429").outcome, TurnOutcome::failed);
}

TEST(Failure, WordsDecideWhereThereIsNoStatus) {
  EXPECT_EQ(failure_of({}, "You've hit your usage limit.").outcome, TurnOutcome::limited);
  EXPECT_EQ(failure_of({}, "RESOURCE_EXHAUSTED").outcome, TurnOutcome::limited);
  EXPECT_EQ(failure_of({}, "Invalid API key · Please run /login").outcome, TurnOutcome::denied);
  EXPECT_EQ(failure_of({}, "stream disconnected before completion").outcome, TurnOutcome::again);
  EXPECT_EQ(failure_of({}, "connect ECONNREFUSED 127.0.0.1:1").outcome, TurnOutcome::again);
  EXPECT_EQ(failure_of({}, "the model does not exist").outcome, TurnOutcome::failed);
}

TEST(Failure, ALimitTellsHowLong) {
  const auto lasts = [](std::string_view text) { return failure_of(429, text).for_ms; };
  EXPECT_EQ(lasts("You've hit your usage limit. Try again in 3 days 4 hours 12 minutes."), ((3 * 24 + 4) * 60 + 12) * 60'000);
  EXPECT_EQ(lasts("Please try again in 11.054s"), 11'054);
  EXPECT_EQ(lasts("try again in 1h2m3s"), 3'723'000);
  EXPECT_EQ(lasts("try again in 350ms"), 350);
  EXPECT_EQ(lasts("retry after 30"), 30'000);
  EXPECT_EQ(lasts("retry-after: 7 seconds"), 7'000);
  EXPECT_EQ(lasts("try again in 1 hour and 5 minutes"), 3'900'000);
  EXPECT_EQ(lasts("try again in 99999999999999999999 days"), 400ll * 86'400'000);
  for (const auto* none : {"try again in a while", "try again at 3:05 PM", "try again in", "try again in -5s", "try again in nan", ""}) EXPECT_EQ(lasts(none), 0) << none;
}

TEST(Failure, ALimitTellsUntilWhen) {
  EXPECT_EQ(failure_of({}, "Claude AI usage limit reached|1795226619").until_ms, 1795226619000);
  EXPECT_EQ(failure_of({}, "limit reached|1795226619921").until_ms, 1795226619921);
  EXPECT_EQ(failure_of({}, "limit reached|soon").until_ms, 0);
  EXPECT_EQ(failure_of({}, "limit reached|99999999999999999999").until_ms, 0);
  EXPECT_EQ(failure_of(500, "limit reached|1795226619").until_ms, 0);
}

}  // namespace
}  // namespace harness
