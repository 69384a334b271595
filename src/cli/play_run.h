#pragma once
// A playbook being played: its own arguments as flags, the rest as `flow`, `fanout` or `agent` would take it.
#include "app/playbook.h"
#include "cli/play.h"

namespace cli {

// `words`: all that follows its name.
int play_playbook(const app::Playbook& playbook, const std::vector<std::string>& words);

}  // namespace cli
