#pragma once
// A run as AgentOS' JSON shapes: RunOutput (one run) and RunSchema (lists). Field order and nulls: docs/formats/agentos.md.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "api/agentos/run_tools.h"
#include "api/context.h"
#include "run/agent.h"
#include "store/types.h"

namespace api::agentos {

namespace json = boost::json;

// What a finished model call said about itself, for the message that it wrote.
struct CallFigures {
  std::size_t message = 0;  // its place in AgentState::messages
  run::Usage usage;
  std::optional<std::int64_t> first_token_ms;
};

// A run with what its log says so far.
struct RunView {
  store::Run run;
  run::Spec spec;
  run::AgentState state;
  json::array events;  // stored events except deltas, as AgentOS events; empty unless asked for
  RunTools tools;
  std::vector<CallFigures> calls;
  std::optional<run::Metrics> metrics;  // of a run that has ended (or paused)
  std::string model, provider;          // that the metrics are of
  std::string error;                    // of a failed run
};

enum class Events { keep, leave_out };

// Folds the log as far as `run`, the row, knows it.
aio::Task<RunView> load_view(Context& context, store::Run run, Events events);

json::object run_output(const RunView& view);  // nulls dropped
json::object run_schema(const RunView& view);  // nulls kept
json::array messages(const RunView& view);
json::array chat_messages(const RunView& view);  // user and assistant only

// {"input_tokens":...,"details":{"model":[...]}}
json::object metrics_json(const run::Metrics& metrics, std::string_view model, std::string_view provider);

json::value text_or_null(const std::string& text);
// Removes null members, not recursively.
json::object without_nulls(json::object object);

}  // namespace api::agentos
