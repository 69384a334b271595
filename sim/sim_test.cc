// A few seeds of the simulation, in the build with sanitizers; scripts/sim plays thousands.
#include <gtest/gtest.h>

#include "base/log.h"
#include "sim/world.h"
#include "store/sqlite/schema.h"

namespace sim {
namespace {

class SimTest : public ::testing::Test {
 protected:
  SimTest() : limbo_(":memory:", store::sqlite::OpenMode::read_write) {
    store::sqlite::migrate(limbo_);
    base::log::configure(base::log::Level::off, base::log::Format::text);
  }
  store::sqlite::Database limbo_;
};

TEST_F(SimTest, EveryPromiseIsKeptInAFewWorlds) {
  Counts counts;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    World world(seed, limbo_);
    EXPECT_TRUE(world.run()) << "seed " << seed << " breaks " << world.violation() << "\n" << world.trace().tail();
    counts += world.trace().counts;
  }
  // They must have been through something.
  EXPECT_GT(counts.crashes, 0);
  EXPECT_GT(counts.stalls, 0);
  EXPECT_GT(counts.take_overs, 0);
  EXPECT_GT(counts.failed_commits, 0);
  EXPECT_GT(counts.cancels, 0);
}

TEST_F(SimTest, ASeedIsPlayedAgainExactly) {
  for (std::uint64_t seed = 60; seed < 65; ++seed) {
    World first(seed, limbo_), again(seed, limbo_);
    first.run();
    again.run();
    EXPECT_EQ(first.trace().digest(), again.trace().digest()) << seed;
  }
}

}  // namespace
}  // namespace sim
