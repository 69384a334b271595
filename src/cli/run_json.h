#pragma once
// Runs in the shapes that --json prints. docs/cli.md is the contract: keys are added, never renamed or removed.
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/output.h"
#include "run/agent.h"
#include "store/types.h"

namespace cli {

// "2026-04-20T14:03:12.345Z", or null for 0.
boost::json::value time_json(std::int64_t wall_ms);
boost::json::value text_json(std::string_view text);  // null for ""
boost::json::object usage_json(const run::Usage& usage);
// ", $0.0042"; "" where nothing is known of it.
std::string cost_words(const run::Usage& usage);

// One item of `ls --json`.
boost::json::object listed_json(const store::Run& run, std::string_view note);

boost::json::object children_json(const store::ChildCounts& children);

// The envelope of status, kill and monitor. Kinds of errors: not_found, invalid_input, conflict, unavailable, internal.
std::string answer_json(boost::json::object data);
std::string error_json(std::string_view kind, std::string_view message);
std::string_view error_kind(base::Errc code);
// How a command with that envelope tells that it cannot even begin.
std::function<int(const Failure&)> report_for(bool json);

// What a foreground run ends with: run_id, branch_id, status, reason, content, usage.
boost::json::object result_json(const store::Run& run, const run::AgentState& state);

}  // namespace cli
