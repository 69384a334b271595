#pragma once
// What conditions and templates of hooks can look at: one JSON value per event (docs/hooks.md lists its fields).
#include <boost/json/object.hpp>
#include <string>

#include "run/agent.h"
#include "run/hook.h"
#include "store/types.h"
#include "tool/tasks.h"
#include "tool/tool.h"

namespace engine {

// What is true of the run, whatever the event. `past`: messages of the session's runs before; `turns`: its runs, this one
// included.
boost::json::object run_facts(run::HookEvent on, const store::Run& run, const run::Spec& spec, const run::AgentState& state,
                              std::size_t past, std::int64_t turns);

// `tool`: of the call. Null: there is no such tool.
boost::json::object call_facts(const tool::Tool* tool, const run::ToolCall& call);
void add_result(boost::json::object& call, const std::string& result, bool is_error);

boost::json::object task_facts(const tool::TaskView& task, std::int64_t now_ms);

}  // namespace engine
