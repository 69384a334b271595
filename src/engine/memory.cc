#include "engine/memory.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "engine/session_now.h"
#include "engine/written.h"

namespace engine {

namespace limits = base::limits;
using run::MemoryEntry;

namespace {

constexpr std::string_view kModule = "memory";
constexpr std::string_view kNote = "a note";

// The same call is the same entry. A call's id names it within its message only, so what it notes is part of the key.
std::string key_of(const tool::Context& caller, const MemoryEntry& entry) {
  return caller.run_id + "/" + caller.call_id + "/" + std::string(run::name(entry.kind)) + "/" +
         base::sha256_hex(entry.content).substr(0, 16);
}

}  // namespace

aio::Task<base::Result<MemoryEntry>> Memory::add(const tool::Context& caller, MemoryEntry entry) {
  const auto session = co_await store_.find_session(co_await session_now(store_, caller));
  if (!session) co_return std::unexpected(session.error());
  auto key = key_of(caller, entry);
  co_return co_await written(store_.add_memory(session->number, std::move(entry), std::move(key)), kNote);
}

aio::Task<base::Result<MemoryEntry>> Memory::change(const tool::Context& caller, std::int64_t number, run::MemoryChange change) {
  const auto session = co_await store_.find_session(co_await session_now(store_, caller));
  if (!session) co_return std::unexpected(session.error());
  co_return co_await written(store_.change_memory(session->number, number, std::move(change)), kNote);
}

aio::Task<base::Result<>> Memory::forget(const tool::Context& caller, std::int64_t number) {
  const auto session = co_await store_.find_session(co_await session_now(store_, caller));
  if (!session) co_return std::unexpected(session.error());
  co_return co_await written(store_.forget_memory(session->number, number), kNote);
}

aio::Task<base::Result<Memory::Recalled>> Memory::recall(const tool::Context& caller, std::string words, std::size_t limit) {
  const auto session = co_await store_.find_session(co_await session_now(store_, caller));
  if (!session) co_return std::unexpected(session.error());
  store::MemoryFilter filter{.contains = std::move(words), .limit = limit};
  auto page = co_await store_.memory(session->number, std::move(filter));
  co_return Recalled{std::move(page.items), page.total};
}

std::optional<store::MemoryFilter> shown_memory(const run::Spec& spec, const tool::Toolbox& tools) {
  const auto granted = [&spec](const tool::Definition* tool) {
    return tool->module == kModule &&
           (run::find_grant(spec.tools, tool->name) || std::ranges::find(spec.hook_tools, tool->name) != spec.hook_tools.end());
  };
  if (std::ranges::none_of(tools.definitions(), granted)) return std::nullopt;
  // As long as an entry may be, four times what is shown of it: so much fills the room.
  return store::MemoryFilter{.open_only = true, .part_bytes_max = 4 * limits::kMemoryShownBytesMax};
}

std::string memory_message(const store::Page<run::MemoryEntry>& shown) {
  return run::memory_message(shown.items, static_cast<std::size_t>(shown.total), limits::kMemoryShownBytesMax);
}

}  // namespace engine
