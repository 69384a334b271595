#include "llm/price.h"

#include <algorithm>
#include <cmath>

namespace llm {

namespace {

bool fits(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return pattern == name;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

std::optional<Price> find_price(const PriceList& prices, std::string_view provider, std::string_view model) {
  const auto whole = std::string(provider) + "/" + std::string(model);
  const std::pair<const std::string, Price>* best = nullptr;
  for (const auto& entry : prices)
    if ((fits(entry.first, whole) || fits(entry.first, model)) && (!best || entry.first.size() > best->first.size())) best = &entry;
  return best ? std::optional(best->second) : std::nullopt;
}

std::int64_t cost_micros(const Price& price, const run::Usage& usage, bool cache_is_beside) {
  const auto cached = usage.cache_read_tokens + usage.cache_write_tokens;
  const auto plain = cache_is_beside ? usage.input_tokens : std::max<std::int64_t>(0, usage.input_tokens - cached);
  const auto of = [](std::int64_t tokens, double each) { return static_cast<double>(tokens) * each; };
  return std::llround(of(plain, price.input) + of(usage.cache_read_tokens, price.cache_read.value_or(price.input)) +
                      of(usage.cache_write_tokens, price.cache_write.value_or(price.input)) + of(usage.output_tokens, price.output));
}

}  // namespace llm
