#pragma once
// Whether a budget in money can be kept.
#include <string_view>

#include "base/error.h"
#include "llm/price.h"

namespace engine {

// Whether a budget in money can be kept with this model: its price is known, or it is a coding agent that tells what it cost.
// Errc::invalid_argument: it is not; the message says what to do.
base::Result<> cost_is_known(const llm::PriceList& prices, std::string_view provider, std::string_view model);

}  // namespace engine
