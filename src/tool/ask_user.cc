// ask_user: the machine lets a person answer it (run/question.h), so that a call of the tool itself never comes about in a run.
#include "tool/ask_user.h"

#include "run/question.h"

namespace tool {

namespace {

constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {
    "question": {"type": "string", "minLength": 1, "maxLength": 16384, "description": "What the user is asked."},
    "choices": {"type": "array", "maxItems": 50, "items": {"type": "string"}, "description": "Answers to choose from."},
    "response_type": {"type": "string", "enum": ["answer", "approval"], "description": "approval: yes or no is wanted."},
    "form": {"type": "object", "description": "Fields to fill in; the answer is their JSON."}
  },
  "required": ["question"]
})";

class AskUserTool final : public Tool {
 public:
  AskUserTool() {
    definition_.name = std::string(run::kAskUser);
    definition_.module = "context_builder";
    definition_.action = "ask_user";
    definition_.description = "Asks the user and waits for the answer, however long that takes; the run is paused meanwhile.";
    definition_.schema = kSchema;
    definition_.side_effect = SideEffect::idempotent;
    definition_.aliases = {"AskUser"};
  }
  const Definition& definition() const override { return definition_; }
  aio::Task<Outcome> call(boost::json::object, Context) override {
    co_return Outcome{"ask_user: nobody can be asked here", true};
  }

 private:
  Definition definition_;
};

}  // namespace

std::unique_ptr<Tool> ask_user_tool() { return std::make_unique<AskUserTool>(); }

}  // namespace tool
