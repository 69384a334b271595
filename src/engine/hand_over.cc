#include "engine/hand_over.h"

#include "base/log.h"

namespace engine {

aio::Task<bool> hand_over(Deps& deps, const store::Run& run) {
  try {
    co_await deps.store.release(run.number, run.epoch, "");
    co_return true;
  } catch (const base::Broken& error) {
    base::log::error("a run could not be handed over", {{"run", run.run_id}, {"reason", error.what()}});
  }
  co_return false;
}

}  // namespace engine
