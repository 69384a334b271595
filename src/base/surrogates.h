#pragma once
// Half characters in JSON: programs that cut text between the two halves of a surrogate pair write escapes that no parser takes.
#include <string>
#include <string_view>

namespace base {

// The JSON text with every escape of a lone surrogate replaced by \ufffd.
std::string repair_surrogates(std::string_view json);

}  // namespace base
