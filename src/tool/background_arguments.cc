#include "tool/background_arguments.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/text.h"

namespace tool {

namespace json = boost::json;

namespace {

constexpr double kTimeoutMin = 1, kTimeoutMax = 3'600;
constexpr double kSettleMax = 10;
constexpr double kIntervalMin = 1, kIntervalMax = 3'600;
constexpr std::size_t kTailLinesMax = 2'000;
constexpr std::size_t kWaitedMax = 100;
constexpr std::size_t kIdBytesMax = 256;

std::unexpected<base::Error> refuse(std::string message) {
  return base::fail(base::Errc::invalid_argument, std::move(message));
}

// Models write "true", 1 and true.
bool flag(const json::object& o, std::initializer_list<std::string_view> keys) {
  const auto* value = run::first_of(o, keys);
  if (!value) return false;
  if (value->is_bool()) return value->get_bool();
  if (value->is_number()) return value->to_number<double>() != 0;
  if (!value->is_string()) return false;
  const auto word = base::to_lower(value->get_string());
  return word == "true" || word == "1" || word == "yes";
}

double number(const json::object& o, std::string_view key, double otherwise) {
  const auto* value = run::first_of(o, {key});
  if (!value) return otherwise;
  if (value->is_number()) return value->to_number<double>();
  if (!value->is_string()) return otherwise;
  const auto text = std::string_view(value->get_string());
  double parsed = otherwise;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), parsed);
  return end.ec == std::errc() ? parsed : otherwise;
}

std::string text(const json::object& o, std::initializer_list<std::string_view> keys) {
  const auto* value = run::first_of(o, keys);
  if (!value) return {};
  if (value->is_string()) return std::string(value->get_string());
  return value->is_number() ? base::to_text(*value) : std::string();
}

base::Result<std::vector<std::string>> task_ids(const json::object& o) {
  std::vector<std::string> ids;
  const auto* list = run::first_of(o, {"task_ids", "ids", "taskIds"});
  json::value parsed;
  if (list && list->is_string())
    if (auto value = base::parse_json(list->get_string())) list = &(parsed = std::move(*value));
  if (list && !list->is_array()) return refuse("background_run: 'task_ids' is a list of task ids");
  if (list)
    for (const auto& item : list->get_array()) {
      if (!item.is_string()) return refuse("background_run: 'task_ids' is a list of task ids");
      ids.emplace_back(item.get_string());
    }
  if (ids.size() > kWaitedMax) return refuse("background_run: 'task_ids' names more than " + std::to_string(kWaitedMax) + " tasks");
  return ids;
}

base::Result<BackgroundRequest> read_wait(const json::object& o, const std::string& task_id, std::vector<std::string> ids, double timeout_s) {
  WaitRequest wait;
  wait.task_ids = std::move(ids);
  wait.timeout_s = timeout_s;
  wait.several = true;
  if (wait.task_ids.empty()) {
    wait.task_ids = {task_id};
    wait.several = false;
  }
  const auto until = base::to_lower(text(o, {"wait_for_tasks", "mode", "wait_mode"}));
  const auto word = until.empty() ? base::to_lower(text(o, {"wait"})) : until;
  if (word == "any" || word == "first") wait.until = Tasks::Until::any;
  return wait;
}

constexpr std::size_t kPatternsMax = 20, kPatternBytesMax = 1'000;

// One pattern, or a list of them.
base::Result<std::vector<std::string>> patterns(const json::object& o, std::string_view key) {
  std::vector<std::string> all;
  const auto* value = run::first_of(o, {key});
  if (!value) return all;
  if (value->is_string()) all.emplace_back(value->get_string());
  if (const auto* list = value->if_array())
    for (const auto& item : *list)
      if (item.is_string()) all.emplace_back(item.get_string());
  std::erase(all, "");
  const bool fits = all.size() <= kPatternsMax && std::ranges::all_of(all, [](const std::string& p) { return p.size() <= kPatternBytesMax; });
  if (all.empty() || !fits)
    return refuse("background_run: '" + std::string(key) + "' is a pattern or a list of at most " + std::to_string(kPatternsMax) + ", each of at most " +
                  std::to_string(kPatternBytesMax) + " bytes");
  return all;
}

// Tasks that are to end first: an id or a list of them.
base::Result<run::After> read_after(const json::object& o) {
  run::After after{.tasks = {}, .however = flag(o, {"after_failure", "after_any_end"})};
  const auto* value = run::first_of(o, {"after", "depends_on"});
  if (!value) return after;
  if (value->is_string()) after.tasks.emplace_back(value->get_string());
  if (const auto* list = value->if_array())
    for (const auto& item : *list)
      if (item.is_string()) after.tasks.emplace_back(item.get_string());
  const bool fits = std::ranges::all_of(after.tasks, [](const std::string& id) { return id.size() <= kIdBytesMax; });
  if (after.tasks.empty() || after.tasks.size() > kWaitedMax || !fits)
    return refuse("background_run: 'after' is a task id or a list of at most " + std::to_string(kWaitedMax));
  return after;
}

base::Result<std::optional<run::Watch>> read_watch(const json::object& o) {
  if (!flag(o, {"watch"})) return std::nullopt;
  run::Watch watch;
  watch.interval_ms = static_cast<std::int64_t>(std::clamp(number(o, "interval", 2), kIntervalMin, kIntervalMax) * 1000);
  watch.until = text(o, {"until"});
  watch.checks_max = static_cast<std::int64_t>(std::clamp(number(o, "max_checks", 0), 0.0, 1e6));
  if (watch.until.size() > kPatternBytesMax)
    return refuse("background_run: 'until' is a pattern of at most " + std::to_string(kPatternBytesMax) + " bytes");
  return watch;
}

bool wants_wait(const json::object& o) {
  const auto word = base::to_lower(text(o, {"wait"}));
  return flag(o, {"wait"}) || word == "any" || word == "all" || word == "first";
}

base::Result<BackgroundRequest> read_request(const json::object& o) {
  const auto task_id = text(o, {"task_id", "id", "taskId"});
  if (task_id.size() > kIdBytesMax) return refuse("background_run: 'task_id' is too long");
  auto ids = task_ids(o);
  if (!ids) return std::unexpected(ids.error());
  const auto timeout_s = std::clamp(number(o, "timeout", 60), kTimeoutMin, kTimeoutMax);
  if (flag(o, {"list_tasks", "list"})) return ListRequest{};
  if (flag(o, {"cancel"})) {
    if (task_id.empty()) return refuse("background_run cancel: 'task_id' is required");
    return CancelRequest{task_id};
  }
  if (const auto signal = text(o, {"signal"}); !signal.empty()) {
    if (task_id.empty()) return refuse("background_run signal: 'task_id' is required");
    auto name = signal.starts_with("SIG") ? signal : "SIG" + signal;
    if (name != "SIGINT" && name != "SIGTERM") return refuse("unsupported signal \"" + signal + "\" (use SIGTERM or SIGINT)");
    return SignalRequest{task_id, std::move(name)};
  }
  const bool end = flag(o, {"stdin_end", "eof"});
  if (const auto* data = run::first_of(o, {"stdin", "stdin_text"}); (data && data->is_string()) || end) {
    if (task_id.empty()) return refuse("background_run stdin: 'task_id' is required");
    return InputRequest{task_id, data && data->is_string() ? std::string(data->get_string()) : std::string(), end};
  }
  if (!task_id.empty() && run::first_of(o, {"wait_for"})) {
    auto pattern = patterns(o, "wait_for");
    if (!pattern) return std::unexpected(pattern.error());
    WaitRequest wait;
    wait.task_ids = {task_id};
    wait.timeout_s = timeout_s;
    wait.pattern = std::move(pattern->front());
    return wait;
  }
  if (!ids->empty() || (!task_id.empty() && wants_wait(o))) return read_wait(o, task_id, std::move(*ids), timeout_s);
  if (!task_id.empty()) return StatusRequest{task_id};
  auto call = run::wrapped_launch(o);
  if (!call) return refuse("background_run: " + call.error().message);
  if (call->name.empty()) {
    if (run::first_of(o, {"params", "args", "arguments", "parameters"})) return refuse("background_run launch: 'name' is required");
    return refuse("Provide either: name+params to launch, task_id to check/cancel/wait, or list_tasks=true to list all.");
  }
  auto notify_when = patterns(o, "notify_when");
  if (!notify_when) return std::unexpected(notify_when.error());
  auto after = read_after(o);
  if (!after) return std::unexpected(after.error());
  auto watch = read_watch(o);
  if (!watch) return std::unexpected(watch.error());
  return LaunchRequest{.call = std::move(*call),
                       .wait = wants_wait(o),
                       .timeout_s = timeout_s,
                       .settle_s = std::clamp(number(o, "settle_seconds", 0.3), 0.0, kSettleMax),
                       .notify_when = std::move(*notify_when),
                       .after = std::move(*after),
                       .watch = std::move(*watch)};
}

}  // namespace

base::Result<BackgroundArguments> read_background_arguments(const json::object& arguments) {
  auto request = read_request(arguments);
  if (!request) return std::unexpected(request.error());
  const auto lines = std::clamp(number(arguments, "tail_lines", 100), 1.0, static_cast<double>(kTailLinesMax));
  return BackgroundArguments{std::move(*request), static_cast<std::size_t>(lines)};
}

}  // namespace tool
