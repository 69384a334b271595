#include "api/agentos/find_run.h"

namespace api::agentos {

aio::Task<std::optional<store::Run>> find_run(Context& context, std::string run_id, std::string component, std::string session) {
  auto found = co_await context.deps.store.find_run(std::move(run_id));
  if (!found || (!session.empty() && found->session_id != session)) co_return std::nullopt;
  // A run that a command started belongs to no component of a server: every agent's path leads to it.
  if (found->component_id != component && found->origin != "command") co_return std::nullopt;
  co_return std::move(*found);
}

}  // namespace api::agentos
