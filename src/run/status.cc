#include "run/status.h"

#include <array>

namespace run {

namespace {

constexpr std::array kStatusNames = {"PENDING", "RUNNING", "PAUSED", "COMPLETED", "ERROR", "CANCELLED"};

struct CauseRow {
  Cause cause;
  std::string_view name;
  std::string_view reason;
};
constexpr CauseRow kCauses[] = {
    {Cause::provider_auth, "ProviderAuth", "run.failed.provider_auth"},
    {Cause::provider_request, "ProviderRequest", "run.failed.provider_request"},
    {Cause::provider_limited, "ProviderLimited", "run.failed.provider_limited"},
    {Cause::provider_failed, "ProviderFailed", "run.failed.provider_retryable"},
    {Cause::network, "ProviderUnreachable", "run.failed.network"},
    {Cause::no_provider, "ProviderNotConfigured", "run.failed.no_provider"},
    {Cause::run_timeout, "RunTimeout", "run.timed_out.deadline"},
    {Cause::turn_limit, "TurnLimit", "run.failed.turn_limit"},
    {Cause::tool_call_limit, "ToolCallLimit", "run.failed.tool_call_limit"},
    {Cause::token_limit, "TokenLimit", "run.failed.token_limit"},
    {Cause::cost_limit, "CostLimit", "run.failed.cost_limit"},
    {Cause::worker_lost, "WorkerLost", "run.failed.worker_lost"},
    {Cause::tool_failed, "ToolFailed", "run.failed.tool"},
    {Cause::op_failed, "OperationFailed", "run.failed.operation"},
    {Cause::missing_artifact, "MissingArtifact", "run.failed.missing_artifact"},
    {Cause::plan_invalid, "PlanInvalid", "run.failed.plan_invalid"},
    {Cause::harness_failed, "HarnessFailed", "run.failed.harness"},
    {Cause::no_result, "NoResult", "run.failed.no_result"},
    {Cause::check_failed, "CheckFailed", "run.failed.check"},
    {Cause::not_marked_done, "NotMarkedDone", "run.failed.not_marked_done"},
    {Cause::internal, "InternalError", "run.failed.exception"},
};

}  // namespace

std::string_view name(Status status) { return kStatusNames[static_cast<std::size_t>(status)]; }

std::optional<Status> parse_status(std::string_view name) {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i)
    if (name == kStatusNames[i]) return static_cast<Status>(i);
  return std::nullopt;
}

std::string_view name(Cause cause) { return kCauses[static_cast<std::size_t>(cause)].name; }
std::string_view reason_of(Cause cause) { return kCauses[static_cast<std::size_t>(cause)].reason; }

std::optional<Cause> parse_cause(std::string_view name) {
  for (const auto& row : kCauses)
    if (row.name == name) return row.cause;
  return std::nullopt;
}

}  // namespace run
