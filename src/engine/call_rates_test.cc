#include "engine/call_rates.h"

#include <gtest/gtest.h>

namespace engine {
namespace {

const tool::Definition kBash{.name = "Bash", .module = "shell", .action = "bash"};
const tool::Definition kRead{.name = "Read", .module = "filesystem", .action = "read"};
const tool::Definition kWrite{.name = "Write", .module = "filesystem", .action = "write"};

TEST(CallRates, CountsInAWindowThatSlides) {
  CallRates rates;
  const std::vector<run::RateLimit> limits{{.module = "shell", .actions = {"bash"}, .calls_max = 2, .per_ms = 10'000}};
  EXPECT_FALSE(rates.take("s", kBash, limits, 0));
  EXPECT_FALSE(rates.take("s", kBash, limits, 4'000));
  EXPECT_EQ(rates.take("s", kBash, limits, 9'001),
            "Bash: the limit of 2 calls in 10 s (shell.bash) is reached; the call was not run. Try again in 1 s.");
  EXPECT_FALSE(rates.take("s", kBash, limits, 10'000)) << "what was refused is not counted";
  EXPECT_TRUE(rates.take("s", kBash, limits, 13'999));
  EXPECT_FALSE(rates.take("s", kBash, limits, 14'000));
}

TEST(CallRates, ALimitIsOfItsSessionAndItsTools) {
  CallRates rates;
  const std::vector<run::RateLimit> limits{{.module = "filesystem", .calls_max = 2, .per_ms = 1'000},
                                           {.module = "filesystem", .actions = {"WRITE"}, .calls_max = 1, .per_ms = 60'000}};
  EXPECT_FALSE(rates.take("s", kWrite, limits, 0));
  EXPECT_FALSE(rates.take("s", kRead, limits, 0)) << "the module's limit counts both";
  EXPECT_TRUE(rates.take("s", kRead, limits, 0));
  EXPECT_FALSE(rates.take("other", kRead, limits, 0));
  EXPECT_FALSE(rates.take("s", kBash, limits, 0));
  EXPECT_FALSE(rates.take("s", kRead, limits, 1'000));
  EXPECT_EQ(rates.take("s", kWrite, limits, 1'000),
            "Write: the limit of 1 calls in 60 s (filesystem.WRITE) is reached; the call was not run. Try again in 59 s.");
  EXPECT_FALSE(rates.take("s", kRead, limits, 1'000)) << "a refusal by one limit takes nothing of another";
}

TEST(CallRates, WhatIsOverIsForgotten) {
  CallRates rates;
  const std::vector<run::RateLimit> limits{{.module = "shell", .calls_max = 1, .per_ms = 1'000}};
  for (int i = 0; i < 5'000; ++i) EXPECT_FALSE(rates.take(std::to_string(i), kBash, limits, i * 10));
  EXPECT_LT(rates.counted(), 1'100u);
  EXPECT_FALSE(rates.take("s", kBash, {}, 0));
}

}  // namespace
}  // namespace engine
