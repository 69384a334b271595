#pragma once
// Bash seen as tasks: run_in_background, and what can be done with a task_id. The same tasks as background_run's.
#include <boost/json/object.hpp>

#include "aio/time.h"
#include "tool/tool.h"

namespace tool {

// Whether these arguments of Bash are about a task.
bool is_about_task(const boost::json::object& arguments);

// Whether a command of this caller may go on as a task when it takes long.
bool may_be_promoted(const Context& caller);
// The command as a task that is waited for: its answer, or after the caller's limit the task, which goes on.
aio::Task<Outcome> bash_foreground(aio::Time& time, boost::json::object arguments, Context caller);

aio::Task<Outcome> bash_task(aio::Time& time, boost::json::object arguments, Context caller);

}  // namespace tool
