#include "api/apps/approvals.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "run/question.h"

namespace api::apps {

namespace json = boost::json;

namespace {

const run::Decision* decision_of(const store::Pause& pause, const std::string& call_id) {
  const auto at = std::ranges::find(pause.decided, call_id, &run::Decision::call_id);
  return at == pause.decided.end() ? nullptr : &*at;
}

json::object about(const store::Run& run) {
  return {{"run_id", run.run_id}, {"reason", run.reason}, {"since", base::iso_utc_ms(run.updated_ms)}};
}

json::value arguments_of(const run::ToolCall& call) {
  auto value = base::parse_json(call.arguments.empty() ? "{}" : call.arguments);
  return value && value->is_object() ? std::move(*value) : json::value(call.arguments);
}

void add_question(json::object& out, const run::ToolCall& call) {
  const auto question = run::question_of(call);
  out["question"] = question.text;
  if (!question.choices.empty()) out["choices"] = json::array(question.choices.begin(), question.choices.end());
}

}  // namespace

aio::Task<std::vector<Waiting>> waiting_in(Context& context, store::Session session) {
  store::RunFilter filter;
  filter.session_id = session.session_id;
  filter.status = run::Status::paused;
  filter.limit = base::limits::kPageLimitMax;
  filter.ascending = true;
  auto page = co_await context.deps.store.list_runs(std::move(filter));
  std::vector<Waiting> all;
  for (auto& run : page.items) {
    auto pause = co_await context.deps.store.pause_of(run.number);
    if (pause) all.push_back({std::move(run), std::move(*pause)});  // else it was decided meanwhile
  }
  co_return all;
}

json::array pending_approvals(const std::vector<Waiting>& waiting) {
  json::array all;
  for (const auto& [run, pause] : waiting) {
    for (const auto& call : pause.calls) {
      auto one = about(run);
      one["call_id"] = call.id;
      one["tool"] = call.name;
      one["arguments"] = arguments_of(call);
      if (run::asks_a_person(call.name)) add_question(one, call);
      if (const auto* decided = decision_of(pause, call.id))
        one["decided"] = json::object{{"approved", decided->approved}, {"note", decided->note}};
      all.push_back(std::move(one));
    }
    if (!pause.calls.empty()) continue;
    auto one = about(run);
    one["call_id"] = run.run_id;
    one["tool"] = nullptr;
    all.push_back(std::move(one));
  }
  return all;
}

const run::ToolCall* unanswered(const Waiting& waiting, const std::vector<run::Decision>& decisions) {
  for (const auto& call : waiting.pause.calls) {
    const auto one = std::ranges::find(decisions, call.id, &run::Decision::call_id);
    if (one != decisions.end() && one->approved && one->note.empty() && run::wants_text(call)) return &call;
  }
  return nullptr;
}

bool concerns(const Waiting& waiting, const std::string& id, const Approval& approval) {
  if (!approval.run_id.empty() && approval.run_id != waiting.run.run_id) return false;
  return id == waiting.run.run_id || std::ranges::find(waiting.pause.calls, id, &run::ToolCall::id) != waiting.pause.calls.end();
}

std::vector<run::Decision> decisions_of(const Waiting& waiting, const std::string& id, const Approval& approval) {
  std::vector<run::Decision> decisions;
  for (const auto& call : waiting.pause.calls) {
    const bool meant = id == waiting.run.run_id ? !decision_of(waiting.pause, call.id) : id == call.id;
    if (meant) decisions.push_back({.call_id = call.id, .approved = approval.approved, .note = approval.note});
  }
  return decisions;
}

}  // namespace api::apps
