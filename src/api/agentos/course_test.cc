#include "api/agentos/course.h"

#include <gtest/gtest.h>

#include "api/agentos/meta_events.h"

namespace api::agentos {

namespace {

store::Run run_with(run::Status status, std::uint64_t count, std::uint64_t first_kept = 0) {
  store::Run run;
  run.run_id = "R";
  run.status = status;
  run.event_count = count;
  run.first_kept = first_kept;
  return run;
}

constexpr auto kRunning = run::Status::running;
constexpr auto kCompleted = run::Status::completed;

TEST(Course, ARunningRunCatchesUpThenSubscribes) {
  for (const auto status : {run::Status::pending, kRunning}) {
    const auto course = plan_course(run_with(status, 8), Opening::resume, 4);
    EXPECT_EQ(course.head, catch_up_event("R", 3, 8));
    EXPECT_EQ(course.cursor, 5u);
    EXPECT_EQ(course.join_at, 8u);
    EXPECT_FALSE(course.settled);
  }
}

TEST(Course, NothingMissedMeansNoCatchUp) {
  const auto course = plan_course(run_with(kRunning, 8), Opening::resume, 7);
  EXPECT_EQ(course.head, "");
  EXPECT_EQ(course.cursor, 8u);
  EXPECT_EQ(course.join_at, 8u);
}

TEST(Course, AbsentAndNegativeIndicesMeanEverything) {
  for (const auto given : {std::optional<std::int64_t>{}, std::optional<std::int64_t>{-1}, std::optional<std::int64_t>{-7},
                           std::optional(INT64_MIN)}) {
    const auto running = plan_course(run_with(kRunning, 8), Opening::resume, given);
    EXPECT_EQ(running.cursor, 0u);
    EXPECT_EQ(running.head, catch_up_event("R", 8, 8));
    const auto finished = plan_course(run_with(kCompleted, 8), Opening::resume, given);
    EXPECT_EQ(finished.head, replay_event("R", "COMPLETED", 8, 8, given.value_or(-1)));
  }
}

TEST(Course, FinishedAndPausedRunsAreReplayedUpToWhereTheyStood) {
  for (const auto status : {kCompleted, run::Status::error, run::Status::cancelled, run::Status::paused}) {
    const auto course = plan_course(run_with(status, 8), Opening::resume, 1);
    EXPECT_EQ(course.head, replay_event("R", run::name(status), 6, 8, 1));
    EXPECT_EQ(course.cursor, 2u);
    EXPECT_EQ(course.known, 8u);
    EXPECT_TRUE(course.settled);
    EXPECT_FALSE(course.join_at);
  }
}

TEST(Course, BeyondTheLastOfAFinishedRunIsAnEmptyReplay) {
  for (const auto given : {std::int64_t{7}, std::int64_t{99}, INT64_MAX}) {
    const auto course = plan_course(run_with(kCompleted, 8), Opening::resume, given);
    EXPECT_EQ(course.head, replay_event("R", "COMPLETED", 0, 8, given));
    EXPECT_EQ(course.cursor, 8u);
  }
}

TEST(Course, BeyondTheLastOfARunningRunIsAGap) {  // R3
  const auto course = plan_course(run_with(kRunning, 8), Opening::resume, 9999);
  EXPECT_EQ(course.head, gap_event("R", 8, 9999, Gap::index_ahead));
  EXPECT_EQ(course.cursor, 8u);
  EXPECT_EQ(course.join_at, 8u);
  EXPECT_EQ(plan_course(run_with(kRunning, 8), Opening::resume, INT64_MAX).cursor, 8u);
}

TEST(Course, WhatRetentionGaveUpIsAGap) {  // X8
  const auto some = plan_course(run_with(kCompleted, 8, 5), Opening::resume, 2);
  EXPECT_EQ(some.head, replay_event("R", "COMPLETED", 3, 8, 2) + gap_event("R", 3, 4, Gap::retention));
  EXPECT_EQ(some.cursor, 5u);
  const auto all = plan_course(run_with(kCompleted, 8, 8), Opening::resume, std::nullopt);
  EXPECT_EQ(all.head, replay_event("R", "COMPLETED", 0, 8, -1) + gap_event("R", 0, 7, Gap::retention));
  EXPECT_EQ(all.cursor, 8u);
  EXPECT_EQ(plan_course(run_with(kCompleted, 8, 5), Opening::resume, 6).head, replay_event("R", "COMPLETED", 1, 8, 6));
}

TEST(Course, TheStreamOfALaunchHasNoMetaEvents) {
  const auto course = plan_course(run_with(kRunning, 2), Opening::events_only, std::nullopt);
  EXPECT_EQ(course.head, "");
  EXPECT_EQ(course.cursor, 0u);
  EXPECT_FALSE(course.join_at);
  const auto leg = plan_course(run_with(run::Status::pending, 6), Opening::events_only, 4);
  EXPECT_EQ(leg.cursor, 5u);
}

TEST(Course, AnEmptyLogIsNoCatchUp) {
  const auto course = plan_course(run_with(run::Status::pending, 0), Opening::resume, std::nullopt);
  EXPECT_EQ(course.head, "");
  EXPECT_EQ(course.join_at, 0u);
}

}  // namespace

}  // namespace api::agentos
