#include "tests/disk/power_cut.h"

#include <gtest/gtest.h>

namespace disk {
namespace {

TEST(PowerCut, NothingAcknowledgedOrShownIsLost) {
  const auto report = cut_power({.seed = 1, .points = 1000, .keep_first = true});
  EXPECT_EQ(report.violations, 0) << report.first_violation;
  EXPECT_EQ(report.points, 1000);
  // The workload went where it is dangerous.
  EXPECT_GT(report.commits, 300u);
  EXPECT_GT(report.wal_restarts, 3u) << "no process started its log anew";
  EXPECT_GE(report.wal_truncations, 3u);
  EXPECT_GE(report.checkpoints, 5u);
  EXPECT_GT(report.events, 3000u);
}

// A model that cannot see a fault proves nothing: here is a disk that only says that it has synced.
TEST(PowerCut, AWalThatIsNotSyncedIsNoticed) {
  const auto report = cut_power({.seed = 2, .points = 60, .lies = {.wal = true}});
  EXPECT_GT(report.violations, 0);
}

TEST(PowerCut, ADatabaseThatIsNotSyncedByACheckpointIsNoticed) {
  const auto report = cut_power({.seed = 3, .points = 60, .lies = {.database = true}});
  EXPECT_GT(report.violations, 0);
}

TEST(PowerCut, NamesThatAreNotSyncedAreNoticed) {
  const auto report = cut_power({.seed = 4, .points = 60, .lies = {.names = true}});
  EXPECT_GT(report.violations, 0);
}

}  // namespace
}  // namespace disk
