#pragma once
// tmp
#include "base/limits.h"
namespace base::limits {
inline constexpr std::size_t kMonitorRowsMax = 200;
inline constexpr std::size_t kTreeRunsMax = 10'000;
inline constexpr std::uint64_t kStatusEventsMax = 20'000;
inline constexpr std::size_t kKillReasonBytesMax = 1'024;
inline constexpr std::int64_t kKillEndMs = 10'000;
}
