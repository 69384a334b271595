// `rate_limits` of tools.capabilities.
#include <algorithm>
#include <array>
#include <charconv>

#include "app/capabilities.h"
#include "app/shape.h"
#include "app/tool_settings.h"
#include "base/limits.h"
#include "base/text.h"

namespace app {

namespace {

namespace limits = base::limits;

constexpr Field kLimit[] = {{"module", text(), Presence::required},
                            {"actions", or_also(texts(), kText)},
                            {"tools", or_also(texts(), kText)},
                            {"max_calls", integer(1, limits::kRateCallsMax), Presence::required},
                            {"per_seconds", number(1, limits::kRatePeriodSecondsMax), Presence::required}};
constexpr Shape kLimitShape = map_of(kLimit);
constexpr std::size_t kLimitsMax = 100;

struct Unit {
  std::string_view name;
  std::int64_t seconds;
};
constexpr std::array kUnits = std::to_array<Unit>({{"s", 1},
                                                   {"sec", 1},
                                                   {"second", 1},
                                                   {"m", 60},
                                                   {"min", 60},
                                                   {"minute", 60},
                                                   {"h", 3'600},
                                                   {"hour", 3'600},
                                                   {"d", 86'400},
                                                   {"day", 86'400}});

// "10/min", "100/hour", "5/30s".
std::optional<run::RateLimit> short_form(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto calls = base::parse_int(base::trim(text.substr(0, slash)));
  auto period = base::trim(text.substr(slash + 1));
  const auto digits = std::min(period.find_first_not_of("0123456789"), period.size());
  const auto count = digits ? base::parse_int(period.substr(0, digits)) : std::optional<std::int64_t>(1);
  const auto word = base::to_lower(base::trim(period.substr(digits)));
  const auto unit = std::ranges::find(kUnits, std::string_view(word), &Unit::name);
  if (!calls || !count || unit == kUnits.end()) return std::nullopt;
  if (*calls < 1 || *calls > limits::kRateCallsMax || *count < 1 || *count > limits::kRatePeriodSecondsMax / unit->seconds)
    return std::nullopt;
  return run::RateLimit{.module = {}, .calls_max = *calls, .per_ms = *count * unit->seconds * 1'000};
}

// The module and its actions, checked; actions by the names that the catalogue has.
bool name_tools(run::RateLimit& limit, std::string module, const std::vector<std::string>& actions, const std::string& path,
                Mark mark, Problems& problems) {
  const auto errors = problems.errors().size();
  check_module(module, path, mark, problems);
  for (const auto& action : actions) {
    check_action(module, action, path, mark, problems);
    const auto* known = find_tool(module, action);
    limit.actions.push_back(known ? std::string(known->action) : base::to_lower(action));
  }
  limit.module = std::move(module);
  return problems.errors().size() == errors;
}

void read_short(const Member& member, const std::string& path, std::vector<run::RateLimit>& limits, Problems& problems) {
  auto limit = short_form(as_text(member.value).value_or(""));
  if (!limit) {
    problems.add(path, "must be a number of calls and a time, such as 10/min", member.value.mark, Code::range);
    return;
  }
  const auto* known = find_tool(member.key);
  const auto dot = member.key.find('.');
  auto module = known ? std::string(known->module) : member.key.substr(0, dot);
  std::vector<std::string> actions;
  if (known)
    actions.emplace_back(known->action);
  else if (dot != std::string::npos)
    actions.push_back(member.key.substr(dot + 1));
  if (name_tools(*limit, std::move(module), actions, path, member.mark, problems)) limits.push_back(std::move(*limit));
}

void read_long(const Node& node, const std::string& path, std::vector<run::RateLimit>& limits, Problems& problems) {
  const auto errors = problems.errors().size();
  check_shape(node, kLimitShape, path, problems);
  if (problems.errors().size() != errors || !node.is_map()) return;
  run::RateLimit limit;
  limit.calls_max = as_int(*node.find("max_calls")).value_or(1);
  limit.per_ms = static_cast<std::int64_t>(as_number(*node.find("per_seconds")).value_or(1) * 1'000);
  auto actions = texts_of(node.find("actions"));
  for (auto& action : texts_of(node.find("tools"))) actions.push_back(std::move(action));
  if (name_tools(limit, as_text(*node.find("module")).value_or(""), actions, path, node.mark, problems))
    limits.push_back(std::move(limit));
}

}  // namespace

std::vector<run::RateLimit> read_rate_limits(const Node& node, const std::string& path, Problems& problems) {
  std::vector<run::RateLimit> limits;
  if (node.members.size() + node.items.size() > kLimitsMax) {
    problems.add(path, "has more than " + std::to_string(kLimitsMax) + " limits", node.mark, Code::range);
    return limits;
  }
  for (const auto& member : node.members) read_short(member, child(path, member.key), limits, problems);
  for (std::size_t i = 0; i < node.items.size(); ++i) read_long(node.items[i], child(path, i), limits, problems);
  return limits;
}

}  // namespace app
