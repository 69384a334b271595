#include "engine/watch.h"

#include "base/json.h"
#include "base/text.h"
#include "tool/output_scan.h"

namespace engine {

namespace json = boost::json;

namespace {

constexpr std::size_t kToldBytes = 2'000;

// What a call showed, whatever kind of answer it is.
std::string shown(const tool::Outcome& outcome) {
  const auto value = base::parse_json(outcome.text);
  const auto* o = value ? value->if_object() : nullptr;
  if (!o || !o->contains("stdout")) return outcome.text;
  return base::text_or_empty(*o, "stdout") + base::text_or_empty(*o, "stderr");
}

tool::Outcome ended(const tool::Outcome& last, std::int64_t checks, std::optional<std::string> line, std::string_view until) {
  json::object out{{"checks", checks}, {"matched", line.has_value()}};
  if (line) out["line"] = *line;
  if (!until.empty()) out["until"] = until;
  out["stdout"] = shown(last);
  if (!line && !until.empty()) out["error"] = "the pattern was not seen in " + std::to_string(checks) + " checks";
  return {.text = base::to_text(out), .is_error = !line && !until.empty()};
}

}  // namespace

aio::Task<tool::Outcome> perform_watch(Step step, run::ToolCall call, tool::Context context) {
  const auto watch = *step.spec.watch;
  auto& time = step.deps.time;
  std::optional<std::string> before;
  for (std::int64_t checks = 1;; ++checks) {
    const auto began = time.steady_ms();
    // Each check is a call of its own; one that a crash has cut is left, and made anew.
    const auto number = std::to_string(time.wall_ms());
    auto one = context;
    one.call_id = call.id + "_" + number;
    const auto outcome = co_await step.tools->call(call.name, call.arguments, std::move(one));
    auto now = shown(outcome);
    if (!watch.until.empty())
      if (auto line = tool::line_with(now, watch.until)) co_return ended(outcome, checks, std::move(line), watch.until);
    if (watch.checks_max > 0 && checks >= watch.checks_max) co_return ended(outcome, checks, std::nullopt, watch.until);
    if (before && *before != now) {
      auto news = number + " " + std::string(base::utf8_suffix(now, kToldBytes));
      co_await step.deps.store.add_notice(step.run, std::string(store::kNoticeUpdate), std::move(news));
    }
    before = std::move(now);
    const auto rest = watch.interval_ms - (time.steady_ms() - began) % watch.interval_ms;
    co_await time.sleep(std::chrono::milliseconds(rest));
  }
}

}  // namespace engine
