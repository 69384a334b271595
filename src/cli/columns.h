#pragma once
// How wide text is on a terminal, and text made to fit. Pure.
#include <cstddef>
#include <string>
#include <string_view>

namespace cli {

// Wide characters (漢, 🙂) take two columns, combining ones none. Bytes that are no UTF-8 take one each, as terminals show them.
std::size_t columns_of(std::string_view text);

// No wider than `columns`; what is cut off is told by an ellipsis.
std::string cut_to(std::string_view text, std::size_t columns);

// With blanks behind it up to this width.
std::string padded(std::string_view text, std::size_t columns);

}  // namespace cli
