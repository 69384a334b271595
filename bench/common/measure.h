#pragma once
// What every measurement needs: a clock, a pace, percentiles, and the line of JSON that tells one repeat of it.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

std::int64_t now_ns();  // CLOCK_MONOTONIC: the same in all processes
void sleep_until(std::int64_t at_ns);
void sleep_for(double seconds);

// Beats at a fixed rate, whatever is done in between; a beat that was missed is left out, not made up for.
class Pacer {
 public:
  explicit Pacer(double per_second) : period_ns_(static_cast<std::int64_t>(1e9 / per_second)), next_ns_(now_ns()) {}
  void wait();
  std::int64_t next();  // when the next beat is due

 private:
  const std::int64_t period_ns_;
  std::int64_t next_ns_;
};

// Durations in nanoseconds; asked for in microseconds.
class Latencies {
 public:
  void add(std::int64_t ns) { ns_.push_back(ns); }
  std::size_t count() const { return ns_.size(); }
  double percentile_us(double p) const;  // 0 when there are none

 private:
  std::vector<std::int64_t> ns_;
};

// One repeat of one side of a measurement. Printed as a line of JSON when it goes.
class Sample {
 public:
  Sample(std::string_view name, std::string_view side, double value);
  ~Sample();
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;
  Sample& with(std::string_view key, double number);
  Sample& with(std::string_view key, std::string_view text);

 private:
  std::string line_;
};
// A sample of latencies: the median is its value.
void print_latencies(std::string_view name, std::string_view side, const Latencies& latencies);

// "--key value" pairs of a command.
class Arguments {
 public:
  Arguments(int argc, char** argv);
  std::string text(const std::string& key, std::string fallback = "") const;
  std::string required(const std::string& key) const;  // throws when it was not given
  std::int64_t integer(const std::string& key, std::int64_t fallback) const;
  double seconds(const std::string& key, double fallback) const;

 private:
  std::map<std::string, std::string> values_;
};

// Does the sides of a measurement in turn, A B A B, so that what changes on the machine meets all of them.
void interleave(std::int64_t repeats, const std::vector<std::function<void()>>& sides);

// A failed system call ends the program with its name and reason; otherwise its result.
std::int64_t check(std::int64_t result, const char* what);

}  // namespace bench
