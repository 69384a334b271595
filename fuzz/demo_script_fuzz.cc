// Scripts and directives of the demo provider: any text either becomes turns that can be played or an error with a place.
#include "llm/demo_script.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "llm/demo_play.h"

namespace {

void check_turn(const llm::DemoTurn& turn) {
  ASSERT(turn.calls.size() <= base::limits::kToolCallsPerTurnMax);
  ASSERT(turn.rate >= 0 && turn.rate <= llm::kDemoRateMax && turn.size >= 0 && turn.size <= llm::kDemoDeltaBytesMax);
  llm::DemoText text(turn);
  ASSERT(text.count() >= 0 && text.count() <= std::max<std::int64_t>(llm::kDemoTokensMax, llm::kDemoScriptBytesMax));
  for (std::int64_t i = 0; i < std::min<std::int64_t>(text.count(), 100); ++i) ASSERT(!text.next().empty());
  for (std::int64_t attempt = 0; attempt < 3; ++attempt) llm::demo_faults(turn, attempt);
  llm::ModelRequest request;
  request.messages = {{.role = run::Role::tool, .text = "{\"task_id\":\"t\"}\nline"}};
  for (const auto& call : llm::demo_calls(turn, request)) ASSERT(!call.name.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto script = llm::parse_demo_script(input, "x.yaml");
  if (script) {
    ASSERT(!script->turns.empty());
    for (const auto& turn : script->turns) check_turn(turn);
  } else {
    ASSERT(script.error().message.starts_with("x.yaml"));
  }
  static const auto base_script = llm::parse_demo_script(*llm::built_in_demo_script("fast"), "fast").value();
  const auto directed = llm::with_directives(base_script, input);
  ASSERT(!directed.turns.empty() && directed.turns.size() <= llm::kDemoTurnsMax);
  for (const auto& turn : directed.turns) {
    check_turn(turn);
    for (const auto& call : turn.calls) ASSERT(base::parse_json(call.arguments).has_value());
  }
  return 0;
}
