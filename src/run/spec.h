#pragma once
// What a run is to do: everything an executor needs besides secrets, so that any process can go on with it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "run/flow_spec.h"
#include "run/harness_spec.h"
#include "run/hook.h"
#include "run/message.h"
#include "run/team.h"
#include "run/team_mail.h"
#include "run/tool_settings.h"

namespace run {

enum class Gate { allow, approve, deny };

// What becomes of a step when its executor died in the middle of it (run/recovery.h).
enum class Recovery {
  resume,  // a model call is made again; a tool call that may not be is reported to the model as interrupted, outcome unknown
  retry,   // tool calls are made again whatever they do
  ask,     // the run pauses until a person decides
  fail,    // the run ends with WorkerLost
  continue_with_partial,  // what the model had said is its answer; tool calls as in resume
};

struct GrantedTool {
  std::string name;  // one that ends with "*" stands for all tools whose names begin so, and that are not named themselves
  Gate gate = Gate::allow;
  std::optional<Recovery> recovery = {};  // of its calls; none: the run's
};

// What becomes of a session's background tasks when it is aborted or removed.
enum class OnEnd {
  cancel,
  detach,  // they go on; of a removed session, in one that no agent has
  adopt,   // they go on; of a removed session, as tasks of another one of the same agent and user
};
// "cancel" ...
std::string_view name(OnEnd policy);
std::optional<OnEnd> parse_on_end(std::string_view name);

// Background tasks of a session.
struct TaskLimits {
  std::int64_t live = base::limits::kSessionTasksMax;
  std::int64_t listed = base::limits::kListedTasksMax;  // ended ones that a list shows; the others can be asked for by id
  std::int64_t listed_ms = 0;                           // ... for so long after their ends; 0: for ever
  OnEnd on_end = OnEnd::cancel;
  bool operator==(const TaskLimits&) const = default;
};

// Zero means: no limit of its own.
struct Limits {
  std::int64_t turns = 0;  // model calls
  std::int64_t tool_calls = 0;
  std::int64_t tokens = 0;          // input + output
  std::int64_t cost_micros = 0;     // millionths of a US dollar
  std::int64_t timeout_ms = 0;      // wall clock since the launch
  std::int64_t foreground_ms = 0;   // a command that takes longer goes on as a background task, where the run may have those
  std::int64_t model_call_ms = 0;   // of one model call
  std::int64_t context_tokens = 0;  // what the model's context holds, as far as hooks ask; 0: a common size
  std::int64_t compact_tokens = 0;  // a conversation that has become longer is shortened by itself; 0: none is
  std::int64_t keep_recent = 0;     // messages that a compaction keeps
  std::int64_t stop_retries = 0;    // how often hooks may make a run go on that would end
  std::int64_t approval_ms = 0;     // a decision that takes longer is a no
  TaskLimits tasks = {};
};

// Of a call: tasks of the session that must have ended before it is made.
struct After {
  std::vector<std::string> tasks;
  bool however = false;  // failed ones do too; else the call is not made
};

// Of a call: it is made again and again, and what changes in its output is told.
struct Watch {
  std::int64_t interval_ms = 0;
  std::string until;            // a pattern of its output that ends the watch; "": none does
  std::int64_t checks_max = 0;  // 0: no bound
};

// Where an executor finds what a spec may not hold, the agent's key and its MCP servers: in the app file that the run was made
// from.
struct Definition {
  std::string file;     // absolute path; "": nothing of it is needed
  std::string agent;    // its id there
  bool has_key = true;  // the key is there too; else it is elsewhere, or none is needed
};

struct Spec {
  std::string input;             // the user's message
  std::optional<ToolCall> call;  // kind tool: the run is this one call, and no model is asked
  std::optional<FlowSpec> flow = {};  // kinds flow and fanout: operations of other runs, and no model call of its own
  std::optional<HarnessSpec> harness = {};  // kind harness: turns of a coding-agent program; `provider` is its name
  std::string provider, model, effort;
  std::string backend, base_url;  // "" = the provider's own
  Definition definition = {};
  std::string system_prompt;
  std::vector<std::string> notify_when;  // of a call: patterns of its output that its session's model is told of
  After after = {};
  std::optional<Watch> watch = {};
  std::vector<GrantedTool> tools;
  std::vector<std::string> mcp_servers = {};  // by their names in the definition; their tools are granted in `tools`
  std::vector<TeamMember> team = {};          // agents that it, or those that it asks, may give work to
  std::vector<std::string> may_ask = {};      // the ids of those that it may ask itself
  std::optional<TeamSeat> seat = {};          // in a team whose members write to each other
  int depth = 0;                              // how many agents have given work to each other above it
  std::vector<Hook> hooks = {};               // in the order in which they fire
  std::vector<std::string> hook_tools = {};   // which tools hooks may call, besides those that the agent may call unasked
  ToolSettings settings = {};
  Limits limits;
  Recovery recovery = Recovery::resume;
  bool foreground = false;     // of a call: it is its caller's own, which waits for it (store::Run::awaited)
  bool wakes = true;           // its session may be woken when a background task has news
  std::string work_directory;  // absolute
  // Absolute: directories that its file tools may reach besides the work directory (tool/file_space.h).
  std::vector<std::string> roots = {};
  std::optional<double> temperature, top_p;
  std::optional<std::int64_t> max_tokens;
};

// The entry that a tool is granted by, under its own name in any case; null: it may not be called.
const GrantedTool* find_grant(const std::vector<GrantedTool>& tools, std::string_view name);

std::string encode(const Spec& spec);  // JSON text
base::Result<Spec> decode_spec(std::string_view text);

}  // namespace run
