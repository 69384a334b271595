#pragma once
// `outlast task ACTION`: the actions with their options (task_*.h have what they do). A new action is a row in kActions.
#include <string>

#include "cli/parser.h"

namespace cli {

int task(const Words& words);

// "add show list ...": for completion.
std::string task_actions();

}  // namespace cli
