#pragma once
// Whether a hook's condition holds, given the facts of an event (engine/hook_facts.h lists them).
#include <boost/json/object.hpp>
#include <string_view>
#include <vector>

namespace run {

// Unknown types and wrong values never hold.
bool holds(const boost::json::object& condition, const boost::json::value& facts);

const std::vector<std::string_view>& condition_types();
inline constexpr int kConditionDepthMax = 16;

}  // namespace run
