#pragma once
// `outlast team create|list|show|send|receive`: their options (team.h has what they do).
#include "cli/parser.h"

namespace cli {

int team(const Words& words);

}  // namespace cli
