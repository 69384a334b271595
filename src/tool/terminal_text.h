#pragma once
// What a terminal program wrote, as text for a model: no escape sequences, no control characters, valid UTF-8.
#include <string>
#include <string_view>

namespace tool {

// Takes out ANSI sequences (CSI, OSC and the other escapes, ECMA-48) and control characters but tab and newline; a carriage
// return begins its line anew, as progress bars mean it. Bytes that are no UTF-8 become U+FFFD.
std::string plain_text(std::string_view bytes);

}  // namespace tool
