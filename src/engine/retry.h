#pragma once
// How long to wait before a failed model call is made again. Pure.
#include <cstdint>
#include <optional>

#include "llm/provider.h"

namespace engine {

// The delay before attempt `attempt` + 1 (the first attempt is 0), or nothing when it is not made. Exponential with full
// jitter from `random`; what the provider asked for is a lower bound.
std::optional<std::int64_t> retry_delay_ms(const llm::ModelError& error, std::int64_t attempt, std::uint64_t random);

}  // namespace engine
