#pragma once
// `outlast chat APP.yaml`: a conversation with an app's agent. Each message is a run in one session.
#include "cli/app_request.h"

namespace cli {

struct ChatOptions {
  AppOptions app;
  bool verbose = false;
};

int run_chat(const ChatOptions& options);

}  // namespace cli
