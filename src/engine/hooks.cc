#include "engine/hooks.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/hook_facts.h"
#include "engine/tasks.h"
#include "run/hook_condition.h"

namespace engine {

namespace json = boost::json;

namespace {

constexpr std::string_view kFact = "hook";
constexpr std::int64_t kPeriodMs = 30'000, kPeriodMsMin = 1'000;  // between two tellings of how a task goes
constexpr std::size_t kProgressLines = 20;

// A verdict as its fact keeps it, so that recovery comes to the same one.
json::object to_json(const HookVerdict& verdict) {
  json::object o;
  if (verdict.blocked) o["blocked"] = *verdict.blocked;
  if (verdict.params) o["params"] = *verdict.params;
  if (!verdict.words.empty()) o["told"] = verdict.words.size();
  return o;
}

HookVerdict verdict_of(const json::object& o) {
  HookVerdict verdict;
  if (const auto blocked = base::string_field(o, "blocked")) verdict.blocked = *blocked;
  if (const auto* params = base::object_field(o, "params")) verdict.params = *params;
  return verdict;
}

void take_over(HookVerdict& verdict, const HookVerdict& earlier) {
  if (earlier.blocked) verdict.blocked = earlier.blocked;
  if (earlier.params) verdict.params = earlier.params;
}

// "": it worked.
aio::Task<std::string> guarded(const run::Hook& hook, HookFiring& firing, HookVerdict& verdict) {
  try {
    co_return co_await perform_action(hook.action, firing, verdict);
  } catch (const std::exception& error) {
    if (aio::is_cancelled(error)) throw;
    co_return error.what();
  }
}

aio::Task<std::string> within_its_time(Deps& deps, const run::Hook& hook, HookFiring& firing, HookVerdict& verdict) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto first = guarded(hook, firing, verdict) || deps.time.sleep(std::chrono::milliseconds(hook.timeout_ms));
  auto done = co_await std::move(first);
  if (done.index() == 0) co_return std::get<0>(std::move(done));
  co_return "it took longer than " + std::to_string(hook.timeout_ms / 1000) + " s";
}

void report(const std::string& hook, const std::string& what) {
  base::log::error("a hook failed", {{"hook", hook}, {"reason", what}});
}

}  // namespace

Hooks::Hooks(Deps& deps, const store::Run& run, const run::Spec& spec, const run::AgentState& state, RunLog& log)
    : deps_(deps), run_(run), spec_(spec), state_(state), log_(log), beside_(deps.io, report), periodic_(deps.io, report) {}

bool Hooks::any(run::HookEvent on) const {
  return std::ranges::any_of(spec_.hooks, [on](const run::Hook& hook) { return hook.on == on; });
}

aio::Task<> Hooks::load() {
  if (spec_.hooks.empty()) co_return;
  turns_ = 1 + static_cast<std::int64_t>((co_await deps_.store.history(run_.session, run_.history_through)).size());
  for (const auto& fact : co_await deps_.store.session_facts(run_.session, std::string(kFact))) {
    const auto data = base::parse_json(fact.data);
    const auto* o = data ? data->if_object() : nullptr;
    if (!o) continue;
    auto& fired = fired_[base::text_or_empty(*o, "hook")];
    ++fired.count;
    fired.last_ms = fact.at_ms;
  }
  for (const auto& fact : co_await deps_.store.facts(run_.number)) {
    const auto data = fact.type == kFact ? base::parse_json(fact.data) : base::Result<json::value>(nullptr);
    const auto* o = data ? data->if_object() : nullptr;
    if (!o) continue;
    done_[{base::text_or_empty(*o, "hook"), base::text_or_empty(*o, "key")}] = verdict_of(*o);
    if (base::text_or_empty(*o, "on") == run::name(run::HookEvent::stop) && base::int_or_zero(*o, "told") > 0) ++stop_retries_;
  }
}

aio::Task<HookVerdict> Hooks::fire(HookOccasion occasion, std::shared_ptr<const tool::Toolbox> tools) {
  HookVerdict verdict;
  occasion.key = std::string(run::name(occasion.on)) + ":" + occasion.key;
  for (const auto& hook : spec_.hooks)
    if (hook.on == occasion.on) co_await fire_one(hook, occasion, tools, verdict);
  compact_ |= verdict.compact;
  if (occasion.on == run::HookEvent::stop && !verdict.words.empty()) ++stop_retries_;
  co_return verdict;
}

aio::Task<> Hooks::fire_one(const run::Hook& hook, const HookOccasion& occasion, std::shared_ptr<const tool::Toolbox> tools,
                            HookVerdict& verdict) {
  const bool holds = holds_the_loop(hook.action);
  if (occasion.recovered && holds) co_return;
  const auto known = done_.find({hook.id, occasion.key});
  // What a hook made of a result is not kept: as long as the result itself is not in the log, it is made again.
  const bool again = known != done_.end() && occasion.on == run::HookEvent::tool_end && holds;
  if (known != done_.end() && !again) {
    take_over(verdict, known->second);
    co_return;
  }
  auto facts = run_facts(occasion.on, run_, spec_, state_, past_, turns_);
  for (const auto& [name, value] : occasion.facts) facts[name] = value;
  json::value all(std::move(facts));
  if (!again) {
    auto& fired = fired_[hook.id];
    const auto now = deps_.time.wall_ms();
    if (!run::may_fire(hook, fired, now) || !run::holds(hook.condition, all)) co_return;
    fired = {fired.count + 1, now};
    done_[{hook.id, occasion.key}] = {};
  }
  auto call_id = "hook_" + base::sha256_hex(hook.id + '\0' + occasion.key).substr(0, 16);
  HookFiring firing{deps_, run_, spec_, occasion.on, hook.id, std::move(call_id), std::move(all), std::move(tools), handing_over_};
  if (holds)
    co_await perform(hook, occasion.key, std::move(firing), verdict);
  else
    beside_.spawn(hook.id, perform_beside(hook, occasion.key, std::move(firing)));
}

// What may happen but once is noted before it happens; everything else after it, together with what the model is told.
aio::Task<> Hooks::perform(const run::Hook& hook, std::string key, HookFiring firing, HookVerdict& verdict) {
  const bool once = at_most_once(hook.action, *firing.tools);
  if (once) {
    note(hook, key, "", {});
    if (const auto durable = co_await log_.flush(); !durable) co_return;
  }
  HookVerdict own{.params = verdict.params, .result = verdict.result};
  const auto failure = co_await within_its_time(deps_, hook, firing, own);
  take_over(verdict, own);
  if (own.result) verdict.result = own.result;
  verdict.compact |= own.compact;
  verdict.words.insert(verdict.words.end(), own.words.begin(), own.words.end());
  done_[{hook.id, key}] = own;
  if (!once) note(hook, key, failure, own);
  co_await tell(hook.on, own.words);
  if (!failure.empty() && base::text_or_empty(hook.action, "on_error") != "ignore")
    base::log::warning("a hook failed", {{"hook", hook.id}, {"run", run_.run_id}, {"reason", failure}});
}

aio::Task<> Hooks::perform_beside(run::Hook hook, std::string key, HookFiring firing) {
  HookVerdict none;
  co_await perform(hook, std::move(key), std::move(firing), none);
}

aio::Task<> Hooks::tell(run::HookEvent on, const std::vector<HookVerdict::Words>& words) {
  using enum run::HookEvent;
  const bool has_more_turns = !spec_.call && on != turn_end && on != error && on != session_end;
  for (const auto& one : words) {
    if (has_more_turns)
      log_.add(run::Notice{.task_id = "", .text = one.text, .hook = one.hook, .as_user = one.as_user});
    else
      co_await deps_.store.add_notice(run_, std::string(store::kNoticeSaid), one.text);
  }
}

void Hooks::watch_progress(std::shared_ptr<const tool::Toolbox> tools) {
  for (const auto& hook : spec_.hooks)
    if (hook.on == run::HookEvent::background_progress) periodic_.spawn(hook.id, tell_progress(hook, tools));
}

aio::Task<> Hooks::tell_progress(run::Hook hook, std::shared_ptr<const tool::Toolbox> tools) {
  const auto period = hook.cooldown_ms > 0 ? std::max(hook.cooldown_ms, kPeriodMsMin) : kPeriodMs;
  for (;;) {
    const auto age = std::max<std::int64_t>(0, deps_.time.wall_ms() - run_.created_ms);
    co_await deps_.time.sleep(std::chrono::milliseconds(period - age % period));
    auto task = co_await view_task(deps_, run_, false);
    auto facts = task_facts(task, deps_.time.wall_ms());
    if (const auto output = deps_.tasks ? co_await deps_.tasks->output(task, kProgressLines) : base::Result<json::object>())
      facts["log"] = base::text_or_empty(*output, "stdout") + base::text_or_empty(*output, "stderr");
    const auto number = std::to_string((deps_.time.wall_ms() - run_.created_ms) / period);
    const HookOccasion occasion{.on = hook.on, .key = "progress:" + number, .facts = {{"task", std::move(facts)}}};
    HookVerdict none;
    co_await fire_one(hook, occasion, tools, none);
  }
}

void Hooks::note(const run::Hook& hook, const std::string& key, const std::string& failure, const HookVerdict& verdict) {
  auto data = to_json(verdict);
  data["hook"] = hook.id;
  data["on"] = run::name(hook.on);
  data["key"] = key;
  if (!failure.empty()) data["failure"] = std::string(base::utf8_prefix(failure, 1024));
  log_.add_fact(std::string(kFact), base::to_text(data));
}

aio::Task<> Hooks::settle() {
  periodic_.cancel();
  co_await periodic_.join();
  co_await beside_.join();
}

aio::Task<> Hooks::stop(bool goes_on) {
  *handing_over_ = goes_on;
  beside_.cancel();
  co_await settle();
}

}  // namespace engine
