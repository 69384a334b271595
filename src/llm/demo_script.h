#pragma once
// What the demo provider plays: turns of a script, from YAML (docs/demo-provider.md) or from words in the conversation. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace llm {

inline constexpr std::int64_t kDemoTokensMax = 10'000'000;
inline constexpr std::int64_t kDemoDeltaBytesMax = 64 << 10;
inline constexpr std::int64_t kDemoMsMax = 24 * 3'600'000;
inline constexpr std::int64_t kDemoRateMax = 1'000'000;  // tokens a second
inline constexpr std::int64_t kDemoTimesMax = 1'000'000;
inline constexpr std::size_t kDemoTurnsMax = 1'000;
inline constexpr std::size_t kDemoScriptBytesMax = 1 << 20;

struct DemoCall {
  std::string name;
  std::string arguments = "{}";  // JSON text; may hold $TASK1, $LINE1, ...
  bool operator==(const DemoCall&) const = default;
};

// `times`: in how many of a turn's attempts, from the first; nothing = in all of them.
struct DemoError {
  std::int64_t status = 500;
  std::optional<std::int64_t> times;
  std::string message;  // empty: "scripted error STATUS"
  std::optional<std::int64_t> retry_after_ms;
  bool operator==(const DemoError&) const = default;
};
struct DemoStall {
  std::int64_t after = 0;  // text deltas
  std::int64_t ms = 0;
  std::optional<std::int64_t> times;
  bool operator==(const DemoStall&) const = default;
};
struct DemoCut {
  std::int64_t after = 0;  // text deltas
  std::optional<std::int64_t> times;
  bool operator==(const DemoCut&) const = default;
};

// One answer of the model. A turn of calls without text says nothing; one without either says "w0 w1 w2".
struct DemoTurn {
  std::optional<std::string> text;
  std::optional<std::int64_t> tokens;  // "w0 w1 ..." instead of a text
  bool tokens_from_prompt = false;     // as many as the first number in the prompt says
  std::int64_t rate = 0;               // tokens a second, 0 = as fast as they are taken
  std::int64_t size = 0;               // bytes to which each generated token is padded
  std::int64_t thinking = 0;           // tokens "t0 t1 ..." of reasoning before all else
  std::vector<DemoCall> calls;
  std::vector<DemoError> errors;   // one after the other, each for its times
  std::optional<DemoStall> stall;  // both count from the first attempt after the errors
  std::optional<DemoCut> cut;
  bool operator==(const DemoTurn&) const = default;
};

struct DemoScript {
  std::vector<DemoTurn> turns;  // at least one
  bool operator==(const DemoScript&) const = default;
};

// Errors name the place, the key and what was meant, several joined by newlines.
base::Result<DemoScript> parse_demo_script(std::string_view yaml, std::string_view file_name);

// The YAML text of a built-in script, or nothing.
std::optional<std::string_view> built_in_demo_script(std::string_view name);
std::vector<std::string_view> built_in_demo_names();

// The script as the directives in a user's message change it.
DemoScript with_directives(DemoScript script, std::string_view message);

}  // namespace llm
