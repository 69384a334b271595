#pragma once
// What sessions note, kept in the store and shown to their models.
#include <string>
#include <vector>

#include "engine/deps.h"
#include "tool/memory.h"

namespace engine {

struct Step;

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

// The message that a model call begins with; "" where neither the agent nor its hooks have a tool of the
// memory, or nothing is noted. `step` outlives it.
aio::Task<std::string> memory_message(const Step& step);

}  // namespace engine
