#pragma once
// What sessions note, kept in the store and shown to their models.
#include <optional>
#include <string>
#include <vector>

#include "engine/deps.h"
#include "tool/memory.h"

namespace engine {

class Memory final : public tool::Memory {
 public:
  // `store` outlives it.
  explicit Memory(store::Store& store) : store_(store) {}

  aio::Task<base::Result<run::MemoryEntry>> add(const tool::Context& caller, run::MemoryEntry entry) override;
  aio::Task<base::Result<run::MemoryEntry>> change(const tool::Context& caller, std::int64_t number,
                                                   run::MemoryChange change) override;
  aio::Task<base::Result<>> forget(const tool::Context& caller, std::int64_t number) override;
  aio::Task<base::Result<Recalled>> recall(const tool::Context& caller, std::string words, std::size_t limit) override;

 private:
  store::Store& store_;
};

// What of the memory a model call is shown; none where neither the agent nor its hooks have a tool of it.
std::optional<store::MemoryFilter> shown_memory(const run::Spec& spec, const tool::Toolbox& tools);
// The message that the call begins with; "" where nothing is noted.
std::string memory_message(const store::Page<run::MemoryEntry>& shown);

}  // namespace engine
