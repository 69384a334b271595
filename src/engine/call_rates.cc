#include "engine/call_rates.h"

#include <algorithm>

#include "base/text.h"

namespace engine {

namespace {

bool covers(const run::RateLimit& limit, const tool::Definition& tool) {
  if (limit.module != tool.module) return false;
  const auto names = [&tool](const std::string& action) {
    const auto lower = base::to_lower(action);
    return lower == base::to_lower(tool.action) || lower == base::to_lower(tool.name);
  };
  return limit.actions.empty() || std::ranges::any_of(limit.actions, names);
}

std::string name_of(const run::RateLimit& limit) {
  auto name = limit.module;
  for (std::size_t i = 0; i < limit.actions.size(); ++i) name += (i ? ", " : ".") + limit.actions[i];
  return name;
}

std::string seconds(std::int64_t ms) { return std::to_string((ms + 999) / 1'000) + " s"; }

}  // namespace

std::optional<std::string> CallRates::take(const std::string& session_id, const tool::Definition& tool,
                                           const std::vector<run::RateLimit>& limits, std::int64_t steady_ms) {
  std::vector<Calls*> counts;
  for (const auto& limit : limits) {
    if (!covers(limit, tool)) continue;
    const auto key =
        session_id + '\x1f' + name_of(limit) + '\x1f' + std::to_string(limit.calls_max) + '\x1f' + std::to_string(limit.per_ms);
    auto& calls = calls_[key];
    calls.per_ms = limit.per_ms;
    while (!calls.at_ms.empty() && calls.at_ms.front() <= steady_ms - limit.per_ms) calls.at_ms.pop_front();
    if (static_cast<std::int64_t>(calls.at_ms.size()) >= limit.calls_max) {
      const auto left = calls.at_ms.front() + limit.per_ms - steady_ms;
      return tool.name + ": the limit of " + std::to_string(limit.calls_max) + " calls in " + seconds(limit.per_ms) + " (" +
             name_of(limit) + ") is reached; the call was not run. Try again in " + seconds(left) + ".";
    }
    counts.push_back(&calls);  // references into the map stay good
  }
  for (auto* calls : counts) calls->at_ms.push_back(steady_ms);
  if (calls_.size() >= forget_at_) forget(steady_ms);
  return std::nullopt;
}

void CallRates::forget(std::int64_t steady_ms) {
  std::erase_if(calls_, [steady_ms](const auto& entry) {
    const auto& calls = entry.second;
    return calls.at_ms.empty() || calls.at_ms.back() <= steady_ms - calls.per_ms;
  });
  forget_at_ = std::max<std::size_t>(1'024, 2 * calls_.size());
}

}  // namespace engine
