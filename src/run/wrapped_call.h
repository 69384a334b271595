#pragma once
// Calls that make other calls: background_run and run_parallel. What a model wrote under any of the documented synonyms, in
// one shape, so that policy, approval and the tools themselves see the same (docs/background.md).
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace run {

struct WrappedCall {
  std::string name;  // as the model wrote it; "" if it is missing
  boost::json::object arguments = {};
};

inline constexpr std::string_view kBackgroundRun = "background_run", kRunParallel = "run_parallel";

// The inner call of background_run's arguments; name "" where they launch nothing. Errc::invalid_argument, with the text
// for the model: params that are no JSON object.
base::Result<WrappedCall> wrapped_launch(const boost::json::object& arguments);

// The inner calls of run_parallel's arguments. Errc::invalid_argument: no list.
base::Result<std::vector<WrappedCall>> wrapped_list(const boost::json::object& arguments);

// What a call of the tool `granted_name` wraps; nothing for other tools, and for arguments that its tool will refuse.
std::vector<WrappedCall> wrapped_calls(std::string_view granted_name, std::string_view arguments);

// The first of these keys that is there; null: none.
const boost::json::value* first_of(const boost::json::object& o, std::initializer_list<std::string_view> keys);

}  // namespace run
