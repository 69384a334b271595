#include "bench/common/measure.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <system_error>

#include "base/json.h"

namespace bench {

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void sleep_until(std::int64_t at_ns) {
  const timespec at{at_ns / 1'000'000'000, at_ns % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
}

void sleep_for(double seconds) { sleep_until(now_ns() + static_cast<std::int64_t>(seconds * 1e9)); }

std::int64_t Pacer::next() {
  const auto now = now_ns();
  next_ns_ += period_ns_;
  if (next_ns_ < now) next_ns_ += (now - next_ns_) / period_ns_ * period_ns_ + period_ns_;
  return next_ns_;
}

void Pacer::wait() { sleep_until(next()); }

double Latencies::percentile_us(double p) const {
  if (ns_.empty()) return 0;
  auto sorted = ns_;
  std::ranges::sort(sorted);
  const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(sorted.size())));
  return static_cast<double>(sorted[std::max<std::size_t>(rank, 1) - 1]) / 1000;
}

Sample::Sample(std::string_view name, std::string_view side, double value) : line_("{\"sample\":") {
  base::append_json_string(line_, name);
  with("side", side);
  with("value", value);
}

Sample::~Sample() {
  std::printf("%s}\n", line_.c_str());
  std::fflush(stdout);
}

Sample& Sample::with(std::string_view key, double number) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", number);
  line_ += ",";
  base::append_json_string(line_, key);
  line_ += ":";
  line_ += text;
  return *this;
}

Sample& Sample::with(std::string_view key, std::string_view text) {
  line_ += ",";
  base::append_json_string(line_, key);
  line_ += ":";
  base::append_json_string(line_, text);
  return *this;
}

void print_latencies(std::string_view name, std::string_view side, const Latencies& latencies) {
  Sample(name, side, latencies.percentile_us(0.5))
      .with("p90", latencies.percentile_us(0.9))
      .with("p99", latencies.percentile_us(0.99))
      .with("count", static_cast<double>(latencies.count()));
}

Arguments::Arguments(int argc, char** argv) {
  for (int i = 0; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (!key.starts_with("--")) throw std::runtime_error("expected --key value, found " + key);
    values_[key.substr(2)] = argv[i + 1];
  }
}

std::string Arguments::text(const std::string& key, std::string fallback) const {
  const auto at = values_.find(key);
  return at == values_.end() ? std::move(fallback) : at->second;
}

std::string Arguments::required(const std::string& key) const {
  const auto at = values_.find(key);
  if (at == values_.end()) throw std::runtime_error("--" + key + " is missing");
  return at->second;
}

std::int64_t Arguments::integer(const std::string& key, std::int64_t fallback) const {
  const auto at = values_.find(key);
  return at == values_.end() ? fallback : std::stoll(at->second);
}

double Arguments::seconds(const std::string& key, double fallback) const {
  const auto at = values_.find(key);
  return at == values_.end() ? fallback : std::stod(at->second);
}

void interleave(std::int64_t repeats, const std::vector<std::function<void()>>& sides) {
  for (std::int64_t i = 0; i < repeats; ++i)
    for (const auto& side : sides) side();
}

std::int64_t check(std::int64_t result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

}  // namespace bench
