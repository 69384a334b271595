#pragma once
// Which run a path of the API names.
#include <optional>
#include <string>

#include "api/context.h"

namespace api::agentos {

// The run if it belongs to this component (and session, where one is given); another's run is as good as unknown.
aio::Task<std::optional<store::Run>> find_run(Context& context, std::string run_id, std::string component, std::string session);

}  // namespace api::agentos
