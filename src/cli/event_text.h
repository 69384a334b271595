#pragma once
// One event in a few words, for `outlast logs`.
#include <string>

#include "run/event.h"

namespace cli {

// One line without newline: "text  w0 w1".
std::string event_text(const run::Event& event);

}  // namespace cli
