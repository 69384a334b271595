#pragma once
// `outlast completion bash|zsh|fish`: scripts that complete commands, options and run ids.
#include <string>

namespace cli {

int run_completion(const std::string& shell);

}  // namespace cli
