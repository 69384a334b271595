#pragma once
// All that is left to chance in one seed's world. SplitMix64: small, fast, the same everywhere.
#include <cstdint>

#include "base/clock.h"

namespace sim {

class Random final : public base::Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() override {
    auto z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // 0 ... below - 1
  std::int64_t below(std::int64_t below) { return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(below)); }
  std::int64_t between(std::int64_t least, std::int64_t most) { return least + below(most - least + 1); }
  // True `permille` times of a thousand.
  bool chance(std::int64_t permille) { return below(1000) < permille; }

 private:
  std::uint64_t state_;
};

}  // namespace sim
