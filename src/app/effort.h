#pragma once
// The words of an effort as definition files may write them, in the order in which messages list them.
#include <string_view>

#include "app/shape.h"

namespace app {

inline constexpr std::string_view kEfforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};
inline constexpr Shape kEffortShape = one_of(kEfforts);

}  // namespace app
