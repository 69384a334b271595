#pragma once
// Claude Code: what its parts share. docs/harnesses.md has the facts, docs/formats/harness.md the lines.
#include <memory>
#include <string>
#include <string_view>

#include "harness/harness.h"

namespace harness {

std::unique_ptr<Decoder> claude_decoder(const Start& start);
const BackgroundAgents& claude_background();

// The input line that is a user's message; its uuid is what the receipts name.
std::string claude_message(std::string_view message_id, std::string_view text);

}  // namespace harness
