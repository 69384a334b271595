#pragma once
// `outlast approve ID`: decides the tool calls that a paused run waits for.
#include <string>

namespace cli {

struct ApproveOptions {
  std::string id;
  bool reject = false, json = false;
  std::string note;  // told to the model with a rejection; the answer to a question
};

int run_approve(const ApproveOptions& options);

}  // namespace cli
