#include "run/question.h"

#include "base/json.h"
#include "base/text.h"

namespace run {

namespace json = boost::json;

bool asks_a_person(std::string_view tool) {
  const auto name = base::to_lower(base::trim(tool));
  return name == kAskUser || name == "askuser" || name == "context_builder.ask_user" || name == "context_builder__ask_user";
}

Question question_of(const ToolCall& call) {
  Question question;
  const auto value = base::parse_json(call.arguments);
  const auto* o = value ? value->if_object() : nullptr;
  if (!o) return question;
  for (const auto* key : {"question", "prompt", "message", "text"})
    if (question.text.empty()) question.text = base::text_or_empty(*o, key);
  if (const auto* choices = base::array_field(*o, "choices"))
    for (const auto& choice : *choices)
      question.choices.push_back(choice.is_string() ? std::string(choice.get_string()) : base::to_text(choice));
  question.is_approval = base::text_or_empty(*o, "response_type") == "approval";
  return question;
}

bool wants_text(const ToolCall& call) { return asks_a_person(call.name) && !question_of(call).is_approval; }

std::string answer_text(const ToolCall& call, const Decision& decision) {
  if (question_of(call).is_approval) {
    json::object o{{"approved", decision.approved}};
    if (!decision.note.empty()) o["note"] = decision.note;
    return base::to_text(o);
  }
  if (!decision.approved) return "The user did not answer" + (decision.note.empty() ? "." : ": " + decision.note);
  return base::to_text(json::object{{"answer", decision.note}});
}

}  // namespace run
