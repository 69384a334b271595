#pragma once
// A run as AgentOS' JSON shapes: RunOutput (one run) and RunSchema (lists). Field order and nulls: docs/formats/agentos.md.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "api/context.h"
#include "run/agent.h"
#include "store/types.h"

namespace api::agentos {

namespace json = boost::json;

// A run with what its log says so far.
struct RunView {
  store::Run run;
  run::Spec spec;
  run::AgentState state;
  json::array events;      // stored events except deltas, as AgentOS events
  json::array tools;       // tool objects of finished calls
  json::object metrics;    // {} while it runs
  std::string error;       // of a failed run
};

aio::Task<RunView> load_view(Context& context, store::Run run);

json::object run_output(const RunView& view);     // nulls dropped
json::object run_schema(const RunView& view);     // nulls kept
json::array messages(const RunView& view);
json::array chat_messages(const RunView& view);   // user and assistant only

// Removes null members, not recursively.
json::object without_nulls(json::object object);

}  // namespace api::agentos
