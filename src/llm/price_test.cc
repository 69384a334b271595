#include "llm/price.h"

#include <gtest/gtest.h>

namespace llm {
namespace {

TEST(Price, TheLongestNameThatFitsWins) {
  const PriceList prices{{"*", {1, 1}}, {"gpt-5", {2, 2}}, {"openai/gpt-5*", {3, 3}}, {"openai/gpt-5.1", {4, 4}}, {"openai/*", {5, 5}}};
  const auto input = [&](std::string_view provider, std::string_view model) { return find_price(prices, provider, model)->input; };
  EXPECT_EQ(input("openai", "gpt-5.1"), 4);
  EXPECT_EQ(input("openai", "gpt-5.1-mini"), 3);
  EXPECT_EQ(input("openai", "o9"), 5);
  EXPECT_EQ(input("other", "gpt-5"), 2);
  EXPECT_EQ(input("other", "x"), 1);
  EXPECT_FALSE(find_price({}, "openai", "gpt-5"));
  EXPECT_FALSE(find_price({{"openai/gpt-5", {1, 1}}}, "openai", "gpt-5.1"));
}

TEST(Price, WhatTheCacheHadIsCountedOnce) {
  const Price price{.input = 3, .output = 15, .cache_read = 0.3, .cache_write = 3.75};
  const run::Usage usage{.input_tokens = 1'000, .output_tokens = 100, .cache_read_tokens = 600, .cache_write_tokens = 200};
  EXPECT_EQ(cost_micros(price, usage, false), 200 * 3 + 180 + 750 + 1'500);
  EXPECT_EQ(cost_micros(price, usage, true), 1'000 * 3 + 180 + 750 + 1'500);
  EXPECT_EQ(cost_micros({.input = 3, .output = 15}, usage, false), 3'000 + 1'500);
  EXPECT_EQ(cost_micros({.input = 0, .output = 0}, usage, true), 0);
}

}  // namespace
}  // namespace llm
