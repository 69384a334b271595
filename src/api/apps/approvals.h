#pragma once
// What the runs of a session wait for, and the decisions about it: the same ones that AgentOS' continue and `outlast approve`
// make (store::Store::decide).
#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "api/apps/bodies.h"
#include "api/context.h"

namespace api::apps {

// A paused run, its turn or a task, and what it waits for.
struct Waiting {
  store::Run run;
  store::Pause pause;
};
aio::Task<std::vector<Waiting>> waiting_in(Context& context, store::Session session);

// [{run_id, call_id, tool, arguments, reason, since, question?, choices?, decided?}]; a run that was parked itself is named by
// its own id.
boost::json::array pending_approvals(const std::vector<Waiting>& waiting);

// What `approval` decides of a run that waits: the call of that id, or all its calls where it is the run's own id.
std::vector<run::Decision> decisions_of(const Waiting& waiting, const std::string& id, const Approval& approval);
// A call among these decisions that asks for a text, and is given none; null: there is none.
const run::ToolCall* unanswered(const Waiting& waiting, const std::vector<run::Decision>& decisions);
// Whether the id is about this run.
bool concerns(const Waiting& waiting, const std::string& id, const Approval& approval);

}  // namespace api::apps
