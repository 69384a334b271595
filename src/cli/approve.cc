#include "cli/approve.h"

#include "base/json.h"
#include "cli/decision.h"
#include "cli/store_command.h"
#include "run/question.h"

namespace cli {

namespace {

aio::Task<int> approve(Process& process, const ApproveOptions& options) {
  const auto run = co_await resolve_run(process, options.id);
  if (!run) co_return complain(run.error());
  const auto calls = co_await waiting_calls(process, *run);
  if (!calls) co_return complain(calls.error());
  for (const auto& call : *calls)
    if (run::wants_text(call) && !options.reject && options.note.empty())
      co_return complain(Failure{kUsage, "run " + run->run_id + " asks: " + one_line(run::question_of(call).text, 400) +
                                             "\nAnswer it: outlast approve " + run->run_id + " --answer TEXT"});
  std::vector<run::Decision> decisions;
  for (const auto& call : *calls) decisions.push_back({.call_id = call.id, .approved = !options.reject, .note = options.note});
  const auto decided = co_await decide(process, *run, std::move(decisions));
  if (!decided) co_return complain(decided.error());
  for (const auto& call : *calls) {
    const auto* word = options.reject ? "rejected" : run::asks_a_person(call.name) ? "answered" : "approved";
    if (options.json)
      put_line(base::to_text(
          boost::json::object{{"run_id", run->run_id}, {"call_id", call.id}, {"tool", call.name}, {"decision", word}}));
    else
      put_line(std::string(word) + " " + call.name + " " + one_line(call.arguments, 100));
  }
  const auto executed = co_await see_executed(process, *run);
  co_return executed ? kOk : complain(executed.error());
}

}  // namespace

int run_approve(const ApproveOptions& options) {
  return with_store([&options](Process& process) { return approve(process, options); });
}

}  // namespace cli
