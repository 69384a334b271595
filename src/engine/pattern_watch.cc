#include "engine/pattern_watch.h"

#include "base/log.h"
#include "engine/tasks.h"

namespace engine {

namespace {

constexpr std::int64_t kLookMs = 200;

struct Watched {
  std::string pattern;
  tool::ScanFrom from = {};
};

// True: it was seen, and its notice is durable.
aio::Task<bool> look(Deps& deps, const store::Run& task, tool::Tool& tool, Watched& watched) {
  auto call = call_of(task);
  const auto sighting = co_await tool.scan(std::move(call), watched.pattern, watched.from);
  if (!sighting) co_return true;  // a tool without output
  watched.from = sighting->next;
  if (!sighting->found) co_return false;
  co_await deps.store.add_notice(task, std::string(store::kNoticeReady), watched.pattern);
  co_return true;
}

}  // namespace

aio::Task<> watch_patterns(Deps& deps, store::Run task, std::vector<std::string> patterns, std::weak_ptr<aio::Scope> execution) {
  auto* tool = deps.tools.find(task.component_name);
  if (!tool) co_return;
  std::vector<Watched> waiting;
  for (auto& pattern : patterns) waiting.push_back({.pattern = std::move(pattern)});
  while (!waiting.empty() && !execution.expired()) {
    try {
      for (auto at = waiting.begin(); at != waiting.end();) at = co_await look(deps, task, *tool, *at) ? waiting.erase(at) : at + 1;
    } catch (const base::Broken& error) {
      base::log::error("a task's output could not be watched", {{"run", task.run_id}, {"reason", error.what()}});
    }
    co_await deps.time.sleep(std::chrono::milliseconds(kLookMs));
  }
}

}  // namespace engine
