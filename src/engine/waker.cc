#include "engine/waker.h"

#include <algorithm>

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

namespace engine {

namespace limits = base::limits;

namespace {

// The user's words of a turn that nobody asked for.
constexpr std::string_view kInput = "[A background task has news for you; see the notice above. Nobody has written.]";

}  // namespace

bool is_wake(const run::Spec& spec) { return spec.input == kInput; }

aio::Task<> Waker::run() {
  for (;;) {
    co_await deps_.time.sleep(std::chrono::milliseconds(limits::kWakeScanMs));
    try {
      co_await look();
    } catch (const base::Broken& error) {
      base::log::error("idle sessions could not be woken", {{"reason", error.what()}});
    }
  }
}

aio::Task<> Waker::look() {
  for (const auto& session : co_await deps_.store.sessions_to_wake(deps_.time.wall_ms() - limits::kWakeDelayMs))
    if (session_id_.empty() || session.session_id == session_id_) co_await wake(session);
}

aio::Task<bool> Waker::has_work() {
  for (const auto& session : co_await deps_.store.sessions_to_wake(deps_.time.wall_ms() + 1))
    if (session.session_id == session_id_) co_return (co_await turn_for(session)).has_value();
  co_return false;
}

aio::Task<> Waker::wake(const store::Session& session) {
  auto request = co_await turn_for(session);
  if (!request) co_return;
  const auto launched = co_await executor_.launch(*std::move(request));
  if (launched.known == store::Known::fresh)
    base::log::info("woke an idle session", {{"session", session.session_id}, {"run", launched.run.run_id}});
}

// Nothing where the session is to be left alone.
aio::Task<std::optional<LaunchRequest>> Waker::turn_for(const store::Session& session) {
  store::RunFilter filter;
  filter.except_type = store::kKindTool;
  filter.session_id = session.session_id;
  filter.limit = static_cast<std::int64_t>(limits::kWakesInARow);
  const auto recent = co_await deps_.store.list_runs(filter);
  const auto notices = co_await deps_.store.notices(session.number);
  if (recent.items.empty() || notices.empty()) co_return std::nullopt;
  const auto& last = recent.items.front();
  auto spec = run::decode_spec(last.spec);
  // An agent that was stopped by a person stays stopped, and one that failed would fail again.
  if (!spec || last.status != run::Status::completed || !spec->wakes) co_return std::nullopt;
  const auto woken = [](const store::Run& run) {
    const auto own = run::decode_spec(run.spec);
    return own && is_wake(*own);
  };
  if (recent.items.size() >= limits::kWakesInARow && std::ranges::all_of(recent.items, woken)) co_return std::nullopt;
  LaunchRequest request;
  request.spec = std::move(*spec);
  request.spec.input = kInput;
  request.kind = last.kind;
  request.component_id = last.component_id;
  request.component_name = last.component_name;
  request.session_id = session.session_id;
  request.user_id = last.user_id;
  request.origin = last.origin;
  request.in_turn = true;  // a message may have come meanwhile
  request.launch_key = "wake\x1f" + session.session_id + "\x1f" + std::to_string(notices.back().number);
  request.request_digest = base::sha256_hex(kInput);
  co_return request;
}

}  // namespace engine
