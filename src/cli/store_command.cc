#include "cli/store_command.h"

#include <algorithm>

namespace cli {

namespace {
constexpr std::size_t kOrphansMax = 10'000;
}

int with_store(const std::function<aio::Task<int>(Process&)>& main) {
  return with_store(main, [](const Failure& failure) { return complain(failure); });
}

int with_store(const std::function<aio::Task<int>(Process&)>& main, const std::function<int(const Failure&)>& report) {
  auto settings = load_settings();
  if (!settings) return report({kUnusable, settings.error().message});
  for (const auto& warning : settings->config.warnings) warn(warning);
  const auto process = Process::open(std::move(*settings));
  if (!process) return report({kUnusable, process.error().message});
  return (*process)->run(main(**process));
}

aio::Task<Checked<store::Run>> resolve_run(Process& process, std::string id) {
  auto found = co_await process.store->resolve_run(std::move(id));
  if (!found) co_return refuse(found.error());
  co_return std::move(*found);
}

aio::Task<Checked<store::Session>> resolve_session(Process& process, std::string id) {
  auto found = co_await process.store->resolve_session(std::move(id));
  if (!found) co_return refuse(found.error());
  co_return std::move(*found);
}

std::string run_directory(const Settings& settings, std::string_view group_id) {
  return settings.home + "/runs/" + std::string(group_id);
}

aio::Task<std::optional<store::Run>> present(Process& process, std::string run_id) {
  auto found = co_await process.store->find_run(std::move(run_id));
  if (!found) co_return std::nullopt;
  co_return std::move(*found);
}

aio::Task<bool> is_orphan(Process& process, store::RunNumber run) {
  const auto orphans = co_await process.store->orphans(kOrphansMax);
  co_return std::ranges::any_of(orphans, [run](const store::Run& orphan) { return orphan.number == run; });
}

}  // namespace cli
