#include "api/mcp/tool_table.h"

#include <algorithm>

namespace api::mcp {

namespace {

constexpr std::string_view kRunStart = R"({
  "type": "object",
  "properties": {
    "message": {"type": "string", "description": "What the agent is to do."},
    "agent": {"type": "string", "description": "One of the served agents; default: the first."},
    "session_id": {"type": "string", "description": "The conversation to go on with; default: a new one."},
    "recovery": {"type": "string", "enum": ["resume", "retry", "ask", "fail", "continue-with-partial"], "description": "What becomes of a step that a crash cut."},
    "timeout_seconds": {"type": "number", "exclusiveMinimum": 0, "description": "The run fails when it takes longer."}
  },
  "required": ["message"]
})";
constexpr std::string_view kRunId = R"({
  "type": "object",
  "properties": {"run_id": {"type": "string", "description": "As run_start returned it."}},
  "required": ["run_id"]
})";
constexpr std::string_view kRunWait = R"({
  "type": "object",
  "properties": {
    "run_id": {"type": "string", "description": "As run_start returned it."},
    "timeout": {"type": "number", "description": "Seconds to wait at most: 0 to 3600, default 60."}
  },
  "required": ["run_id"]
})";
constexpr std::string_view kRunEvents = R"({
  "type": "object",
  "properties": {
    "run_id": {"type": "string", "description": "As run_start returned it."},
    "from": {"type": "integer", "minimum": 0, "description": "The first event wanted: 0, or `next` of the last answer."},
    "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "How many at most, default 200."}
  },
  "required": ["run_id"]
})";

constexpr std::string_view kRunContinue = R"({
  "type": "object",
  "properties": {
    "run_id": {"type": "string", "description": "As run_start returned it."},
    "decisions": {
      "type": "array",
      "description": "Decisions about single calls, by the call_id that run_status shows. The run goes on with the last one.",
      "items": {
        "type": "object",
        "properties": {
          "call_id": {"type": "string"},
          "approved": {"type": "boolean"},
          "note": {"type": "string", "description": "Of a rejection: what the agent is told instead. Of ask_user: the answer."}
        },
        "required": ["call_id", "approved"]
      }
    },
    "approve": {"type": "boolean", "description": "Instead: the same decision about all calls that wait."}
  },
  "required": ["run_id"]
})";

constexpr OfferedTool kTools[] = {
    {ToolKind::background_run, "background_run", "Run in the background",
     "Runs a tool as a durable background task: it goes on when this call, this client or the server ends, and its whole output is kept. "
     "name and params launch one, e.g. name \"Bash\" with params {\"command\": \"make test\"}; with wait=true its result comes back. "
     "task_id checks a task; with wait=true waits for it; with cancel=true ends it and everything it started. task_ids with wait=true "
     "waits for several. list_tasks=true lists all, also those of earlier connections.",
     "", true, false},
    {ToolKind::run_parallel, "run_parallel", "Run in parallel",
     "Makes 1 to 50 calls at the same time, each as background_run would, and returns all results in the order given. One failure does "
     "not stop the others.",
     "", true, false},
    {ToolKind::run_start, "run_start", "Start an agent run",
     "Starts a durable run of a served agent and returns its run_id at once. The run outlives this client; see run_wait, run_status, "
     "run_events and run_cancel.",
     kRunStart, true, false},
    {ToolKind::run_status, "run_status", "Look at a run",
     "The status of a run, what it has said so far, and the tool calls that wait for a person's decision.", kRunId, false, true},
    {ToolKind::run_wait, "run_wait", "Wait for a run",
     "Waits until a run has ended, or waits for a person's decision, and returns it as run_status does; after `timeout` as it is then.", kRunWait,
     true, true},
    {ToolKind::run_events, "run_events", "Read a run's events",
     "The events of a run from an index on: numbered from 0 without gaps, final. Go on from `next`.", kRunEvents, false, true},
    {ToolKind::run_cancel, "run_cancel", "Cancel a run", "Cancels a run and everything that it started.", kRunId, false, false},
    {ToolKind::run_continue, "run_continue", "Decide what a run waits for",
     "Approves or rejects the tool calls that a paused run waits for; it goes on when all are decided. Only for a decision that "
     "the user has made: ask before you approve.",
     kRunContinue, false, false},
};

}  // namespace

std::span<const OfferedTool> tool_table() { return kTools; }

const OfferedTool* find_tool(std::string_view name) {
  const auto at = std::ranges::find(kTools, name, &OfferedTool::name);
  return at == std::end(kTools) ? nullptr : at;
}

}  // namespace api::mcp
