#pragma once
// ask_user: a person answers (docs/app-files.md).
#include <memory>

#include "tool/tool.h"

namespace tool {

std::unique_ptr<Tool> ask_user_tool();

}  // namespace tool
