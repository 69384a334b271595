#pragma once
// What a model wrote as arguments of background_run, under any of the documented synonyms, as one request. Pure.
#include <boost/json/object.hpp>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "run/wrapped_call.h"
#include "tool/tasks.h"

namespace tool {

struct ListRequest {};
struct CancelRequest {
  std::string task_id;
};
struct SignalRequest {
  std::string task_id, signal;
};
struct InputRequest {
  std::string task_id, data;
  bool end = false;  // nothing more will come
};
struct StatusRequest {
  std::string task_id;
};
struct WaitRequest {
  std::vector<std::string> task_ids;
  Tasks::Until until = Tasks::Until::all;
  double timeout_s = 60;
  bool several = false;  // asked for as a list, and answered as one
  std::string pattern;   // of one task: until its output shows it
};
struct LaunchRequest {
  run::WrappedCall call;
  bool wait = false;
  double timeout_s = 60, settle_s = 0.3;
  std::vector<std::string> notify_when;
  run::After after;
  std::optional<run::Watch> watch;
};
using BackgroundRequest =
    std::variant<ListRequest, CancelRequest, SignalRequest, InputRequest, WaitRequest, StatusRequest, LaunchRequest>;

struct BackgroundArguments {
  BackgroundRequest request;
  std::size_t tail_lines = 100;
};

// Errc::invalid_argument with the words for the model.
base::Result<BackgroundArguments> read_background_arguments(const boost::json::object& arguments);

}  // namespace tool
