#pragma once
// What a coding-agent program says, as events of the run's log; and what it is told. Pure.
#include <optional>
#include <string>
#include <vector>

#include "harness/harness.h"
#include "run/event.h"
#include "run/harness.h"
#include "store/types.h"

namespace engine {

// The events of one line, in order; none for what is no fact of the run. `state`: the fold before the line.
std::vector<run::Payload> events_of(const std::vector<harness::Told>& told, const run::HarnessState& state, std::int64_t now_ms);

// A message for the program that was left in its session; nothing for other notices.
std::optional<run::Notice> message_of(const store::Notice& notice);
// The detail of such a notice.
std::string message_detail(const std::string& message_id, const std::string& text);

}  // namespace engine
