#pragma once
// ask_user: a call that a person answers. It waits as a call that needs approval does; the decision's note is the answer.
#include <string>
#include <string_view>
#include <vector>

#include "run/event.h"

namespace run {

inline constexpr std::string_view kAskUser = "ask_user";

struct Question {
  std::string text;
  std::vector<std::string> choices;
  bool is_approval = false;  // yes or no is the answer
};

// Whether a call of this name asks a person; by any of the tool's names.
bool asks_a_person(std::string_view tool);
// Whether the answer is a text, not yes or no: no decision without one answers it.
bool wants_text(const ToolCall& call);
// What it asks; whatever the model wrote.
Question question_of(const ToolCall& call);

// What the model is told.
std::string answer_text(const ToolCall& call, const Decision& decision);

}  // namespace run
