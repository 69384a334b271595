#pragma once
// Commands for runs of every kind and all that they have started: their options. Each gives the exit code.
#include "cli/parser.h"

namespace cli {

int status(const Words& words);
int kill(const Words& words);
int monitor(const Words& words);

}  // namespace cli
