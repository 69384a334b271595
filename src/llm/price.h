#pragma once
// What models cost. Prices are what the user says they are (config.yaml): lists that a program brings along are soon wrong.
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "run/message.h"

namespace llm {

// US dollars for a million tokens, which are millionths of a dollar for one.
struct Price {
  double input = 0, output = 0;
  std::optional<double> cache_read = {}, cache_write = {};  // as input where nothing is said
};

// By "provider/model", or "model" of whatever provider; a name may end with `*`.
using PriceList = std::map<std::string, Price, std::less<>>;

// The longest name that fits.
std::optional<Price> find_price(const PriceList& prices, std::string_view provider, std::string_view model);

// Millionths of a dollar. `cache_is_beside`: input_tokens does not count what the cache read and wrote.
std::int64_t cost_micros(const Price& price, const run::Usage& usage, bool cache_is_beside);

}  // namespace llm
