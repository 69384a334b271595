#include "api/agentos/find_run.h"

namespace api::agentos {

aio::Task<std::optional<store::Run>> find_run(Context& context, std::string run_id, std::string component, std::string session) {
  auto found = co_await context.deps.store.find_run(std::move(run_id));
  if (!found || found->component_id != component || (!session.empty() && found->session_id != session)) co_return std::nullopt;
  co_return std::move(*found);
}

}  // namespace api::agentos
