#include "engine/model_step.h"

#include <set>

#include "base/failpoint.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"
#include "engine/history.h"
#include "engine/retry.h"

namespace engine {

namespace {

constexpr std::string_view kAgentTool = "Agent";  // whose description says whom it can ask

class LogSink final : public llm::DeltaSink {
 public:
  explicit LogSink(RunLog& log) : log_(log) {}
  void text(std::string_view delta) override { log_.add_text(delta); }
  void thinking(std::string_view delta) override { log_.add(run::ThinkingDelta{std::string(delta)}); }
  aio::Task<> ready() override { return log_.room(); }

 private:
  RunLog& log_;
};

run::Cause cause_of(base::Errc code) {
  using base::Errc;
  if (code == Errc::provider_auth) return run::Cause::provider_auth;
  if (code == Errc::provider_request || code == Errc::invalid_argument || code == Errc::unsupported)
    return run::Cause::provider_request;
  if (code == Errc::provider_limited) return run::Cause::provider_limited;
  if (code == Errc::network) return run::Cause::network;
  return run::Cause::provider_failed;
}

run::Stop stop_of(llm::StopReason reason) {
  switch (reason) {
    case llm::StopReason::end: return run::Stop::end;
    case llm::StopReason::tool_calls: return run::Stop::tool_calls;
    case llm::StopReason::length: return run::Stop::length;
    case llm::StopReason::refused: return run::Stop::refused;
  }
  return run::Stop::end;
}

// An id names one call of its run, since what a call makes is kept under it; some servers repeat or omit them.
void make_ids_unique(std::vector<run::ToolCall>& calls, const std::vector<run::Message>& earlier, base::Random& random) {
  std::set<std::string> seen;
  for (const auto& message : earlier)
    for (const auto& call : message.tool_calls) seen.insert(call.id);
  for (auto& call : calls)
    while (call.id.empty() || !seen.insert(call.id).second) call.id = "call_" + base::hex(random, 16);
}

llm::ModelRequest request_for(const Step& step, const std::vector<run::Message>& past, const run::AgentState& state) {
  const auto& spec = step.spec;
  llm::ModelRequest request{.model = spec.model,
                            .effort = spec.effort,
                            .system = spec.system_prompt,
                            .messages = past,
                            .tools = {},
                            .max_tokens = spec.max_tokens,
                            .temperature = spec.temperature,
                            .top_p = spec.top_p};
  request.messages.insert(request.messages.end(), state.messages.begin(), state.messages.end());
  for (const auto* d : step.tools->definitions())
    if (run::find_grant(spec.tools, d->name))
      request.tools.push_back({.name = d->name,
                               .description = d->name == kAgentTool ? d->description + run::team_text(spec) : d->description,
                               .schema = d->schema});
  return request;
}

run::ModelCompleted completion(const run::Spec& spec, llm::ModelResult result, std::int64_t call_started_ms,
                               std::int64_t first_token_at_ms) {
  run::ModelCompleted done{.model = spec.model,
                           .provider = spec.provider,
                           .stop = stop_of(result.stop),
                           .tool_calls = std::move(result.tool_calls),
                           .thinking = std::move(result.thinking),
                           .usage = result.usage,
                           .response_id = std::move(result.response_id),
                           .first_token_ms = std::nullopt};
  if (first_token_at_ms) done.first_token_ms = first_token_at_ms - call_started_ms;
  return done;
}

std::string retry_fact(const llm::ModelError& error, std::int64_t attempt, std::int64_t delay_ms) {
  return base::to_text(boost::json::object{
      {"attempt", attempt}, {"error", base::name(error.code)}, {"message", error.message}, {"delay_ms", delay_ms}});
}

}  // namespace

aio::Task<std::expected<void, run::AppendEvents>> perform_model_step(Step step, const std::vector<run::Message>& past,
                                                                     std::string noted, run::AgentState& state) {
  auto& [deps, run, spec, tools, log, hooks] = step;
  const auto endpoint = deps.endpoint_of(run, spec);
  if (!endpoint) co_return std::unexpected(run::failure(run::Cause::no_provider, endpoint.error().message));
  const auto provider = deps.models.provider(*endpoint);
  if (!provider) co_return std::unexpected(run::failure(run::Cause::no_provider, provider.error().message));
  auto request = request_for(step, past, state);
  if (!noted.empty()) request.messages.insert(request.messages.begin(), {.role = run::Role::system, .text = std::move(noted)});
  LogSink sink(log);
  for (std::int64_t attempt = 0;; ++attempt) {
    const auto started = deps.time.wall_ms();
    const auto content_before = state.content.size();
    ++deps.counters.model_calls;
    base::failpoint("model.before_call");
    auto result = co_await (*provider)->call(request, sink);
    if (result) {
      base::failpoint("model.after_call");
      if (const auto price = llm::find_price(deps.prices, spec.provider, spec.model))
        result->usage.cost_micros = llm::cost_micros(*price, result->usage, result->cache_is_beside);
      make_ids_unique(result->tool_calls, state.messages, deps.random);
      deps.counters.input_tokens += static_cast<std::uint64_t>(result->usage.input_tokens);
      deps.counters.output_tokens += static_cast<std::uint64_t>(result->usage.output_tokens);
      const auto first =
          state.content.size() > content_before && state.first_token_ms ? state.started_ms + *state.first_token_ms : 0;
      log.add(completion(spec, std::move(*result), started, std::max<std::int64_t>(first, 0) >= started ? first : 0));
      co_return std::expected<void, run::AppendEvents>{};
    }
    const auto& error = result.error();
    const auto delay = retry_delay_ms(error, attempt, deps.random.next());
    if (!delay) {
      ++deps.counters.model_failures;
      if (error.code == base::Errc::provider_limited && error.retry_after_ms)
        log.add_fact(std::string(kLimitedFact), base::to_text(boost::json::object{{"until_ms", deps.time.wall_ms() + *error.retry_after_ms}}));
      co_return std::unexpected(run::failure(cause_of(error.code), error.message));
    }
    ++deps.counters.model_retries;
    if (auto cut = run::supersede(state, error.message)) log.add(*std::move(cut));
    log.add_fact("model_retry", retry_fact(error, attempt, *delay));
    co_await deps.time.sleep(std::chrono::milliseconds(*delay));
  }
}

}  // namespace engine
