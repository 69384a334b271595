#pragma once
// The expressions of hook conditions: numbers, texts, names, + - * / %, comparisons, and or not (&& || !), parentheses.
#include <boost/json/object.hpp>
#include <string_view>

#include "base/error.h"

namespace run {

// Names are looked up in `variables` as paths ("tool.name"); a missing one is null, which is false, 0 and less than everything.
// Errc::invalid_argument, with what is wrong and where: no expression. Nesting and length are bounded.
base::Result<bool> evaluate(std::string_view expression, const boost::json::value& variables);

}  // namespace run
