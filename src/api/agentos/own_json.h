#pragma once
// JSON text that this program wrote itself, as a value.
#include <boost/json/value.hpp>
#include <string_view>

namespace api::agentos {

// Deeper than what is let in from outside (base::parse_json), because events wrap what came from there.
boost::json::value parse_own_json(std::string_view text);

}  // namespace api::agentos
