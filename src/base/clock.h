#pragma once
// Time and randomness come from outside, so that machines, engine and store can be simulated.
#include <cstdint>
#include <string>

namespace base {

// Wall time in milliseconds since 1970, and a monotonic time in milliseconds that never goes back.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t wall_ms() const = 0;
  virtual std::int64_t steady_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() const override;
  std::int64_t steady_ms() const override;
};

// Unguessable bytes in production, a seed's in tests.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
};

class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;  // getrandom(2)
};

// "20260420T140312" (UTC) and "2026-04-20T14:03:12Z", the latter with milliseconds where asked.
std::string compact_utc(std::int64_t wall_ms);
std::string iso_utc(std::int64_t wall_ms);
std::string iso_utc_ms(std::int64_t wall_ms);

}  // namespace base
