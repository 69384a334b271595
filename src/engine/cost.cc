#include "engine/cost.h"

#include <string>

#include "engine/launch.h"

namespace engine {

base::Result<> cost_is_known(const llm::PriceList& prices, std::string_view provider, std::string_view model) {
  const std::string name = std::string(provider) + "/" + std::string(model);
  if (const auto* harness = harness_of_provider(provider)) {
    if (harness->capabilities().costs) return {};
    return base::fail(base::Errc::invalid_argument, std::string(harness->name()) + " does not tell what it costs, so a budget in money cannot be kept with " + name + "; give it one in tokens");
  }
  if (llm::find_price(prices, provider, model)) return {};
  return base::fail(base::Errc::invalid_argument, "what " + name + " costs is not known, so a budget in money cannot be kept; write its price in config.yaml: prices: {" + name + ": {input: 3, output: 15}} (US dollars for a million tokens)");
}

}  // namespace engine
