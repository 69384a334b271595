#pragma once
// What a run is to do: everything an executor needs besides secrets, so that any process can go on with it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "run/message.h"
#include "run/tool_settings.h"

namespace run {

enum class Gate { allow, approve };

// What becomes of a step when its executor died in the middle of it (run/recovery.h).
enum class Recovery {
  resume,  // a model call is made again; a tool call that may not be is reported to the model as interrupted, outcome unknown
  retry,   // tool calls are made again whatever they do
  ask,     // the run pauses until a person decides
  fail,    // the run ends with WorkerLost
  continue_with_partial,  // what the model had said is its answer; tool calls as in resume
};

struct GrantedTool {
  std::string name;
  Gate gate = Gate::allow;
  std::optional<Recovery> recovery = {};  // of its calls; none: the run's
};

// Zero means: no limit of its own.
struct Limits {
  std::int64_t turns = 0;  // model calls
  std::int64_t tool_calls = 0;
  std::int64_t tokens = 0;      // input + output
  std::int64_t timeout_ms = 0;  // wall clock since the launch
  std::int64_t foreground_ms = 0;  // a command that takes longer goes on as a background task, where the run may have those
  std::int64_t model_call_ms = 0;  // of one model call
  std::int64_t approval_ms = 0;    // a decision that takes longer is a no
};

// Where an executor finds what a spec may not hold, the agent's key: in the app file that the run was made from.
struct Definition {
  std::string file;   // absolute path; "": nothing of it is needed
  std::string agent;  // its id there
};

struct Spec {
  std::string input;  // the user's message
  std::optional<ToolCall> call;  // kind tool: the run is this one call, and no model is asked
  std::string provider, model, effort;
  std::string backend, base_url;  // "" = the provider's own
  Definition definition = {};
  std::string system_prompt;
  std::vector<std::string> notify_when;  // of a call: patterns of its output that its session's model is told of
  std::vector<GrantedTool> tools;
  ToolSettings settings = {};
  Limits limits;
  Recovery recovery = Recovery::resume;
  bool wakes = true;  // its session may be woken when a background task has news
  std::string work_directory;  // absolute
  std::optional<double> temperature, top_p;
  std::optional<std::int64_t> max_tokens;
};

std::string encode(const Spec& spec);  // JSON text
base::Result<Spec> decode_spec(std::string_view text);

}  // namespace run
