#include "sim/trace.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace sim {

namespace {

// In the order of the fields.
constexpr std::array<const char*, Counts::kSize> kNames = {
    "seeds",       "violations",   "events",      "commits",        "crashes",  "stalls",
    "restarts",    "stops",        "take_overs",  "leases_lost",    "launches", "repeated_launches",
    "cancels",     "intents",      "approvals",   "failed_commits", "rings",    "lost_doorbells",
    "clock_jumps", "reader_tails", "model_calls", "tool_calls",     "handlers", "virtual_ms"};

std::array<std::int64_t, Counts::kSize> values_of(const Counts& counts) {
  std::array<std::int64_t, Counts::kSize> values;
  std::memcpy(values.data(), &counts, sizeof counts);
  return values;
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  auto sum = values_of(*this);
  const auto add = values_of(other);
  for (std::size_t i = 0; i < kSize; ++i) sum[i] += add[i];
  std::memcpy(static_cast<void*>(this), sum.data(), sizeof *this);
  return *this;
}

std::string to_json(const Counts& counts, double wall_seconds) {
  const auto values = values_of(counts);
  std::string text = "{";
  for (std::size_t i = 0; i < kNames.size(); ++i) text += "\"" + std::string(kNames[i]) + "\":" + std::to_string(values[i]) + ",";
  char tail[96];
  std::snprintf(tail, sizeof tail, "\"virtual_seconds\":%.0f,\"wall_seconds\":%.1f}",
                static_cast<double>(counts.virtual_ms) / 1000, wall_seconds);
  return text + tail;
}

void Trace::note(std::int64_t at_ms, const char* what, std::int64_t process, std::int64_t a, std::int64_t b) {
  mix(static_cast<std::uint64_t>(at_ms));
  for (const char* c = what; *c; ++c) mix(static_cast<unsigned char>(*c));
  mix(static_cast<std::uint64_t>(process));
  mix(static_cast<std::uint64_t>(a));
  mix(static_cast<std::uint64_t>(b));
  steps_[count_++ % kKept] = {at_ms, what, process, a, b};
}

std::string Trace::tail() const {
  std::string text;
  for (auto i = count_ - std::min<std::uint64_t>(count_, kKept); i < count_; ++i) {
    const auto& step = steps_[i % kKept];
    text += std::to_string(step.at_ms) + " ms  " + (step.process < 0 ? "world" : "process " + std::to_string(step.process)) +
            "  " + step.what + " " + std::to_string(step.a) + " " + std::to_string(step.b) + "\n";
  }
  return text;
}

}  // namespace sim
