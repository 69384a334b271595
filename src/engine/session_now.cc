#include "engine/session_now.h"

namespace engine {

bool is_task(const tool::Context& caller) { return caller.spec && caller.spec->call; }

aio::Task<std::string> session_now(store::Store& store, const tool::Context& caller) {
  if (!is_task(caller)) co_return caller.session_id;
  const auto run = co_await store.find_run(caller.run_id);
  co_return run ? run->session_id : caller.session_id;
}

}  // namespace engine
