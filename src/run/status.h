#pragma once
// Statuses of a run and the closed list of causes that end one.
#include <optional>
#include <string>
#include <string_view>

namespace run {

// The numbers are stored (docs/formats/store.md): append only.
enum class Status { pending = 0, running = 1, paused = 2, completed = 3, error = 4, cancelled = 5 };

inline bool is_terminal(Status status) { return status >= Status::completed; }
// "PENDING" ... as every API shows them.
std::string_view name(Status status);
std::optional<Status> parse_status(std::string_view name);

// Why a run failed.
enum class Cause {
  provider_auth,
  provider_request,
  provider_limited,
  provider_failed,
  network,
  no_provider,  // the provider is not configured where the run executes
  run_timeout,  // its wall-clock limit passed
  turn_limit,
  tool_call_limit,
  token_limit,
  cost_limit,   // its budget in money is used up
  worker_lost,  // its executors died and the policy does not allow another try
  tool_failed,  // of a run of kind tool: its call failed, the result says why
  op_failed,    // of a flow: operations failed, or were not done because others had
  missing_artifact,  // of a flow: a file that was promised is not there
  plan_invalid, // of a flow: its planner gave no plan that can be run
  harness_failed,  // of a coding-agent program: its turn failed, or it could not be started
  no_result,       // ... it ended without a last word
  check_failed,    // ... the command that must succeed for its work to count does not
  not_marked_done, // ... nobody was there, and it ended without marking its task as done
  internal,     // a broken world; the text is in the run's facts
};
// "RunTimeout": AgentOS' error_type, and the `code` of a run_error event.
std::string_view name(Cause cause);
std::optional<Cause> parse_cause(std::string_view name);
// "run.timed_out.deadline": the reason kept with the run (domain.outcome.cause).
std::string_view reason_of(Cause cause);

inline constexpr std::string_view kReasonCompleted = "run.completed.ok";
inline constexpr std::string_view kReasonCompletedEmpty = "run.completed_empty.no_evidence";
inline constexpr std::string_view kReasonCancelled = "run.cancelled.manual_kill";
inline constexpr std::string_view kReasonApproval = "run.paused.approval";
inline constexpr std::string_view kReasonInput = "run.paused.input";  // a question to a person

}  // namespace run
