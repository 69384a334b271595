#pragma once
// Tasks as models are told of them: the documented keys first, more beside them. Pure.
#include <boost/json/object.hpp>
#include <string>

#include "tool/tasks.h"

namespace tool {

// {task_id, status, elapsed_seconds} and, beside them, state, name, times; with an end: result or error, exit_code, cause.
boost::json::object describe(const TaskView& task, std::int64_t now_ms);
// The same without what the tool answered.
boost::json::object summarize(const TaskView& task, std::int64_t now_ms);

// What the tool answered, as JSON where it is JSON.
boost::json::value result_value(const TaskView& task);

// "12.3", one decimal.
double elapsed_seconds(const TaskView& task, std::int64_t now_ms);

// The words of a notice at the start of a turn: "[BACKGROUND TASK COMPLETED] task_id=... tool=... elapsed=1.2s\noutput:\n...".
std::string ended_notice(const TaskView& task);
// What a watch sees has changed.
std::string update_notice(const TaskView& task, const std::string& output, std::int64_t now_ms);
// A pattern was seen; `recent` are the last lines of its output.
std::string ready_notice(const TaskView& task, const std::string& pattern, const std::string& recent, std::int64_t now_ms);

}  // namespace tool
