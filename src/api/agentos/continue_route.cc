#include "api/agentos/continue_route.h"

#include "api/agentos/continue_form.h"
#include "api/agentos/find_run.h"
#include "api/problem.h"
#include "engine/continuations.h"
#include "run/event.h"

namespace api::agentos {

namespace {

// Where the leg begins that these answers began earlier, if they did.
aio::Task<std::optional<std::uint64_t>> find_leg(Context& context, const store::Run& run,
                                                 const std::vector<ToolAnswer>& answers) {
  if (answers.empty()) co_return std::nullopt;
  for (const auto& continuation : co_await engine::continuations(context.deps.store, run))
    if (repeats(continuation.made, answers)) co_return continuation.index;
  co_return std::nullopt;
}

Delivery leg_of(store::Run run, const ContinueForm& form, std::uint64_t begins, bool fresh) {
  return {.run = std::make_unique<store::Run>(std::move(run)),
          .stream = form.stream,
          .background = form.background,
          .fresh = fresh,
          .after = static_cast<std::int64_t>(begins) - 1};
}

// Why a run that does not wait for a decision cannot go on.
net::HttpResponse refuse_state(const store::Run& run) {
  const auto head = "Cannot continue run " + run.run_id + ": ";
  switch (run.status) {
    case run::Status::pending: return problem(409, head + "run is pending");
    case run::Status::running: return problem(409, head + "run is running");
    case run::Status::completed:
      return problem(409,
                     head + "run is completed; forking a run over HTTP is not supported, start a new run in its session instead");
    case run::Status::error: return problem(409, head + "run has errored; start a new run in its session instead");
    case run::Status::cancelled: return problem(409, head + "run is cancelled");
    case run::Status::paused: break;
  }
  return problem(409, head + "run is paused");
}

// One try; nothing where the run changed in between and must be looked at again.
aio::Task<std::optional<Outcome>> try_continue(Context& context, store::Run run, const ContinueForm& form) {
  if (run.status == run::Status::cancelled) co_return instead(refuse_state(run));
  std::vector<run::ToolCall> waiting;
  if (run.status == run::Status::paused) {
    auto pause = co_await context.deps.store.pause_of(run.number);
    if (!pause) co_return std::nullopt;  // another decision came since the row was read
    waiting = std::move(pause->calls);
  }
  if (waiting.empty() || !concerns(waiting, form.answers))
    if (const auto begins = co_await find_leg(context, run, form.answers)) co_return leg_of(std::move(run), form, *begins, false);
  if (run.status != run::Status::paused) co_return instead(refuse_state(run));
  if (!form.unsupported.empty())
    co_return instead(
        problem(409, "Cannot continue run " + run.run_id + ": '" + form.unsupported + "' is not supported for a paused run"));
  auto decision = decide_calls(waiting, form.answers);
  if (!decision) co_return instead(std::move(decision.error()));
  auto decided = co_await context.deps.store.decide(run.number, std::move(decision->decisions));
  if (!decided) co_return std::nullopt;
  const auto begins = decided->run.event_count - 1;
  co_return leg_of(std::move(decided->run), form, begins, true);
}

}  // namespace

aio::Task<Outcome> continue_leg(Context& context, Request& request) {
  if (!has_runs(context, request.params[0])) co_return instead(problem(404, "Agent not found"));
  const auto form = read_continue_form(request);
  if (!form) co_return instead(form.error());
  request.http = {};
  static constexpr int kTries = 3;  // each other one lost against another decision
  for (int i = 0; i < kTries; ++i) {
    auto run = co_await find_run(context, request.params[1], request.params[0], form->session_id);
    if (!run) co_return instead(problem(404, "No runs found for run ID " + request.params[1]));
    auto outcome = co_await try_continue(context, std::move(*run), *form);
    if (outcome) co_return std::move(*outcome);
  }
  co_return instead(problem(409, "Cannot continue run " + request.params[1] + ": another decision was quicker"));
}

}  // namespace api::agentos
