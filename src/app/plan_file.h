#pragma once
// A flow's plan that a person wrote (`--plan FILE`): JSON or YAML, in either schema of docs/formats/flow-plan.md. What it does
// not know, it refuses, unlike a plan from a model.
#include <string>
#include <string_view>

#include "base/error.h"
#include "run/flow_plan.h"

namespace app {

// Read and checked (run::check_plan). Errc::not_found where there is no file; Errc::invalid_argument with all problems, one a
// line.
base::Result<run::FlowPlan> load_plan_file(const std::string& path);
// The part of it that needs no file.
base::Result<run::FlowPlan> parse_plan_file(std::string_view text, std::string_view file_name);

}  // namespace app
