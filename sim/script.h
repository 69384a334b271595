#pragma once
// What the simulated model says and the simulated tools do. A run's input names a plan by number; the plan decides its turns,
// so that everybody knows what a completed run must have said.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aio/time.h"
#include "llm/provider.h"
#include "sim/ledger.h"
#include "sim/life.h"
#include "sim/random.h"
#include "sim/trace.h"
#include "tool/tool.h"

namespace sim {

struct Turn {
  std::int64_t words = 0, thoughts = 0, word_ms = 0;
  std::vector<std::string> calls;  // tools by name
};
std::vector<Turn> plan_turns(std::uint64_t plan);
std::string plan_input(std::uint64_t plan);                   // the user's message
std::optional<std::uint64_t> plan_of(std::string_view text);  // the other way round, from any text that holds it
std::string plan_word(std::uint64_t plan, std::size_t turn, std::int64_t index);
// All that the first `turns` turns say.
std::string plan_text(std::uint64_t plan, std::size_t turns);

// What model and tools need of the process that calls them; all of it outlives them.
struct Caller {
  aio::Time& time;
  const Life& life;
  Random& random;
  Ledger& ledger;
  Commands& commands;
  Trace& trace;
  std::int64_t process;
  const store::OwnerNumber& owner;
  const bool& calm;  // nothing fails any more
};

std::shared_ptr<llm::Provider> make_provider(Caller caller);
// look: idempotent; pay: at most once; ask: at most once, needs approval; run: a command that goes on by itself.
std::vector<std::unique_ptr<tool::Tool>> make_tools(const Caller& caller);

}  // namespace sim
