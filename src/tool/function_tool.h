#pragma once
// Tools that are one function of their arguments and their caller, and may be called again: what they write has the call's own
// key.
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tool/tool.h"

namespace tool {

struct FunctionTool {
  using Perform = aio::Task<base::Result<boost::json::object>> (*)(boost::json::object arguments, const Context& caller);

  std::string name, module, description;
  std::string_view schema;
  std::vector<std::string> aliases = {};
  // Why it cannot be called here; "" where it can.
  std::string_view (*refusal)(const Context& caller);
  Perform perform;
};

// Its name is its action. The answer is JSON text; errors and refusals begin with its name.
std::unique_ptr<Tool> function_tool(FunctionTool function);

}  // namespace tool
