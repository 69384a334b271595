#include "engine/retry.h"

#include <algorithm>

#include "base/limits.h"

namespace engine {

namespace limits = base::limits;

std::optional<std::int64_t> retry_delay_ms(const llm::ModelError& error, std::int64_t attempt, std::uint64_t random) {
  if (!error.retryable || attempt >= limits::kModelRetriesMax) return std::nullopt;
  const auto ceiling = std::min(limits::kBackoffBaseMs << std::min<std::int64_t>(attempt, 20), limits::kBackoffMaxMs);
  const auto jittered = ceiling / 2 + static_cast<std::int64_t>(random % static_cast<std::uint64_t>(ceiling / 2 + 1));
  // A provider that asks for more patience than we have is believed up to our own bound.
  return std::max(jittered, std::min(error.retry_after_ms.value_or(0), limits::kBackoffMaxMs * 3));
}

}  // namespace engine
