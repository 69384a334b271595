#pragma once
// Bash seen as tasks: run_in_background, and what can be done with a task_id. The same tasks as background_run's.
#include <boost/json/object.hpp>

#include "aio/time.h"
#include "tool/tool.h"

namespace tool {

// Whether these arguments of Bash are about a task.
bool is_about_task(const boost::json::object& arguments);

aio::Task<Outcome> bash_task(aio::Time& time, boost::json::object arguments, Context caller);

}  // namespace tool
