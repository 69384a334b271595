#pragma once
// What `outlast flow` is asked to run, checked whole before anything is written.
#include "cli/flow.h"
#include "cli/output.h"
#include "cli/process.h"
#include "engine/launch.h"

namespace cli {

struct FlowRequest {
  engine::LaunchRequest launch;
  std::string shown_log;  // flow.log as the user typed its place
};

aio::Task<Checked<FlowRequest>> flow_request(Process& process, const FlowOptions& options);

// The directory as typed, cleaned without looking at the file system: `./a/` is `a`, `..` stays.
std::string cleaned_path(const std::string& typed, const Settings& settings);

}  // namespace cli
