#include "api/apps/place.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace api::apps {
namespace {

using run::Status;

store::Turn turn(Status status, std::uint64_t events, std::uint64_t first_kept = 0, bool waits = false) {
  static int number = 0;
  return {.number = ++number,
          .run_id = "r" + std::to_string(number),
          .status = status,
          .waits = waits,
          .first_kept = first_kept,
          .event_count = events};
}

std::string at(const std::vector<store::Turn>& turns, std::uint64_t seq) {
  const auto place = place_of(turns, seq);
  if (!place) return "none";
  return std::to_string(place->turn) + ":" + std::to_string(place->seq - place->first) + "@" + std::to_string(place->seq);
}

TEST(Place, NumbersGoThroughTheTurnsInOrder) {
  const std::vector turns{turn(Status::completed, 3), turn(Status::error, 2), turn(Status::running, 4),
                          turn(Status::pending, 0, 0, true)};
  EXPECT_EQ(at(turns, 0), "0:0@0");
  EXPECT_EQ(at(turns, 2), "0:2@2");
  EXPECT_EQ(at(turns, 3), "1:0@3");
  EXPECT_EQ(at(turns, 8), "2:3@8");
  EXPECT_EQ(at(turns, 9), "2:4@9") << "the next event of the turn that is at work";
  EXPECT_EQ(next_seq(turns), 9u);
}

TEST(Place, WhatRunsBesideHasNumbersWhenItsTurnHasCome) {
  std::vector turns{turn(Status::running, 4), turn(Status::completed, 7)};
  EXPECT_EQ(next_seq(turns), 4u);
  EXPECT_EQ(at(turns, 4), "0:4@4");
  turns[0].status = Status::completed;
  EXPECT_EQ(next_seq(turns), 11u);
  EXPECT_EQ(at(turns, 4), "1:0@4");
  EXPECT_EQ(at(turns, 11), "none");
}

TEST(Place, ASessionWithoutTurnsHasNoEvents) {
  EXPECT_EQ(at({}, 0), "none");
  EXPECT_EQ(next_seq({}), 0u);
}

TEST(Place, WhatRetentionGaveUpIsPassedOver) {
  const std::vector turns{turn(Status::completed, 5, 5), turn(Status::completed, 4, 4), turn(Status::completed, 3)};
  EXPECT_EQ(at(turns, 0), "2:0@9") << "numbers stay what they were";
  EXPECT_EQ(next_seq(turns), 12u);
}

TEST(Place, ATurnBeginsWhereReadingMissesNothingOfIt) {
  const std::vector turns{turn(Status::completed, 3), turn(Status::paused, 4), turn(Status::pending, 0, 0, true)};
  EXPECT_EQ(begin_of(turns, turns[0].run_id), 0u);
  EXPECT_EQ(begin_of(turns, turns[1].run_id), 3u);
  EXPECT_EQ(begin_of(turns, turns[2].run_id), 7u) << "its own number is not known yet";
}

TEST(Place, ASessionIsAsItsFirstLiveTurnIs) {
  std::vector turns{turn(Status::completed, 3)};
  EXPECT_EQ(standing_of(turns).status, "idle");
  EXPECT_EQ(standing_of(turns).active, nullptr);
  turns.push_back(turn(Status::paused, 4));
  turns.push_back(turn(Status::pending, 0, 0, true));
  const auto paused = standing_of(turns);
  EXPECT_EQ(paused.status, "paused");
  EXPECT_EQ(paused.active, &turns[1]);
  EXPECT_EQ(paused.begun, 2u);
  EXPECT_EQ(paused.queued, 1u);
  turns[1].status = Status::pending;
  EXPECT_EQ(standing_of(turns).status, "running") << "it was continued";
}

// Whatever is appended, continued, ended or launched: a number that was given keeps its event.
RC_GTEST_PROP(Place, ANumberIsGivenOnce, ()) {
  std::vector<store::Turn> turns;
  std::vector<std::string> given;  // by number
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 100));
  for (const auto step : steps) {
    if (step < 20 || turns.empty()) {
      turns.push_back(turn(Status::running, 0));
    } else {
      auto& one = turns[static_cast<std::size_t>(step) % turns.size()];
      if (run::is_terminal(one.status)) continue;
      ++one.event_count;
      if (step > 75) one.status = Status::completed;
    }
    while (given.size() < next_seq(turns)) given.push_back(at(turns, given.size()));
    for (std::uint64_t seq = 0; seq < given.size(); ++seq) RC_ASSERT(at(turns, seq) == given[seq]);
  }
}

}  // namespace
}  // namespace api::apps
