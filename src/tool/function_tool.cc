#include "tool/function_tool.h"

#include "base/json.h"

namespace tool {

namespace {

class Adapter final : public Tool {
 public:
  explicit Adapter(FunctionTool function)
      : definition_{.name = function.name,
                    .module = std::move(function.module),
                    .action = function.name,
                    .description = std::move(function.description),
                    .schema = std::string(function.schema),
                    .side_effect = SideEffect::idempotent,
                    .aliases = std::move(function.aliases)},
        refusal_(function.refusal),
        perform_(function.perform) {}
  const Definition& definition() const override { return definition_; }

  aio::Task<Outcome> call(boost::json::object arguments, Context context) override {
    if (const auto why = refusal_(context); !why.empty()) co_return Outcome{definition_.name + ": " + std::string(why), true};
    auto performing = perform_(std::move(arguments), context);
    const auto answer = co_await std::move(performing);
    if (!answer) co_return Outcome{definition_.name + ": " + answer.error().message, true};
    co_return Outcome{base::to_text(*answer)};
  }

 private:
  const Definition definition_;
  std::string_view (*const refusal_)(const Context& caller);
  const FunctionTool::Perform perform_;
};

}  // namespace

std::unique_ptr<Tool> function_tool(FunctionTool function) { return std::make_unique<Adapter>(std::move(function)); }

}  // namespace tool
