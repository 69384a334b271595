#include "cli/orphan_guard.h"

#include "cli/launcher.h"

namespace cli {

namespace {
constexpr std::int64_t kLookMs = 500;
constexpr std::int64_t kPatienceMs = 2'000;  // a server adopts within a fraction of it
constexpr std::int64_t kTryAgainMs = 10'000;
constexpr std::size_t kOrphansMax = 10'000;
}  // namespace

aio::Task<> OrphanGuard::stand() {
  for (;;) {
    co_await process_.time.sleep(std::chrono::milliseconds(kLookMs));
    if (!watched_.empty()) co_await look();
  }
}

aio::Task<> OrphanGuard::look() {
  auto orphans = co_await process_.store->orphans(kOrphansMax);
  const auto now = process_.time.steady_ms();
  std::map<store::RunNumber, store::Run> due;
  for (auto& orphan : orphans)
    if (watched_.contains(orphan.number)) due.emplace(orphan.number, std::move(orphan));
  for (auto& [number, watched] : watched_) {
    if (!due.contains(number))
      watched.orphan_since_ms = 0;
    else if (!watched.orphan_since_ms)
      watched.orphan_since_ms = now;
  }
  for (auto& [number, orphan] : due) {
    const auto at = watched_.find(number);
    if (at == watched_.end() || now - at->second.orphan_since_ms < kPatienceMs || now < at->second.next_try_ms) continue;
    at->second.next_try_ms = now + kTryAgainMs;
    co_await care(std::move(orphan));
  }
}

aio::Task<> OrphanGuard::care(store::Run orphan) {
  std::string why;
  // A server's run waits for its server: here is neither its app file nor, maybe, its key. One that never began is in a queue.
  if (orphan.origin == "command" && !orphan.cancel_requested) {
    const auto revived = co_await revive(process_, orphan);
    if (revived) {
      tell_(orphan, "the process that executed " + orphan.run_id + " is gone; another one goes on with it");
      co_return;
    }
    why = revived.error().message;
  } else if (orphan.cancel_requested) {
    why = "its cancel waits for an executor: outlast cancel " + orphan.run_id;
  } else {
    why = orphan.epoch ? "its server is gone; start it again: outlast serve" : "it waits for a server: outlast serve";
  }
  const auto at = watched_.find(orphan.number);
  if (at == watched_.end()) co_return;
  if (!std::exchange(at->second.told, true)) tell_(orphan, "run " + orphan.run_id + " waits for an executor: " + why);
  gave_up_(orphan, why);
}

}  // namespace cli
