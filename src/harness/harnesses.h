#pragma once
// One of each known harness; a file of its own for each. They live as long as the program.
#include "harness/harness.h"

namespace harness {

const Harness& claude();
const Harness& codex();
const Harness& gemini();
const Harness& opencode();

}  // namespace harness
