#include "cli/session_of.h"

#include "cli/last_branch.h"

namespace cli {

namespace {

aio::Task<SessionOf> complete(Process& process, store::Session session) {
  SessionOf found{.id = session.session_id, .last = {}, .live = {}};
  store::RunFilter filter;
  filter.session_id = session.session_id;
  filter.except_type = store::kKindTool;
  filter.limit = 1;
  auto newest = co_await process.store->list_runs(filter);
  if (!newest.items.empty()) found.last = std::move(newest.items.front());
  filter.live_only = true;
  auto live = co_await process.store->list_runs(filter);
  if (!live.items.empty()) found.live = std::move(live.items.front());
  if (!found.last && !session.forked_from_run.empty()) {
    auto origin = co_await process.store->find_run(session.forked_from_run);
    if (origin) found.last = std::move(*origin);
  }
  co_return found;
}

}  // namespace

aio::Task<std::optional<store::Run>> run_of_agent(Process& process, std::string name) {
  const auto slash = name.rfind('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == name.size()) co_return std::nullopt;
  const auto run = co_await process.store->resolve_run(name.substr(0, slash));
  if (!run) co_return std::nullopt;
  store::RunFilter filter;
  filter.group_id = run->group_id.empty() ? run->run_id : run->group_id;
  filter.limit = 10'000;
  auto group = co_await process.store->list_runs(filter);
  const auto agent = name.substr(slash + 1);
  for (auto& member : group.items)
    if (member.component_id == agent || member.component_name == agent) co_return std::move(member);
  co_return std::nullopt;
}

aio::Task<Checked<SessionOf>> session_by_name(Process& process, std::string name) {
  auto session = co_await process.store->resolve_session(name);
  if (!session && session.error().code == base::Errc::not_found)
    if (const auto member = co_await run_of_agent(process, name))
      session = co_await process.store->find_session(member->session_id);
  if (!session && session.error().code == base::Errc::not_found)
    co_return refuse(kUsage, "No branch log found for id '" + name + "'");
  if (!session) co_return refuse(session.error());
  const auto& id = session->session_id;
  if (id != name) note((id.starts_with(name) ? "[resume] prefix-matched " : "[resume] branch of ") + name + " → " + id);
  co_return co_await complete(process, std::move(*session));
}

aio::Task<Checked<SessionOf>> session_last_used(Process& process, std::string cwd) {
  const LastBranch pointer(process.settings.home);
  for (const auto& id : pointer.used_last(cwd))
    if (auto session = co_await process.store->find_session(id)) co_return co_await complete(process, std::move(*session));
  co_return refuse(kUsage, "No last-branch pointer at " + pointer.path() +
                               ". Run `outlast agent <model> <prompt>` at least once before using -c.");
}

}  // namespace cli
