#pragma once
// The form of POST .../continue, and what its decisions mean for the calls that wait. Pure.
#include <boost/json/value.hpp>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "api/request.h"
#include "run/event.h"

namespace api::agentos {

// One object of `tools`: what the client says about one call.
struct ToolAnswer {
  std::string call_id;
  std::optional<bool> confirmed;
  std::string note;
  std::optional<std::string> name;  // as the client shows them back; they must be those of the call
  std::optional<boost::json::value> arguments;
};

struct ContinueForm {
  std::string session_id;
  bool stream = true, background = false;
  std::vector<ToolAnswer> answers;
  std::string unsupported;  // a field whose meaning needs a fork of the run; "" if none
};

std::expected<ContinueForm, net::HttpResponse> read_continue_form(const Request& request);

// The decision that the answers are, if they decide every call that waits; else the refusal: 409 where nothing is decided,
// 422 for half a decision, an unknown call, or a call that is not the one that was shown.
std::expected<run::RunContinued, net::HttpResponse> decide_calls(const std::vector<run::ToolCall>& waiting,
                                                                 const std::vector<ToolAnswer>& answers);

// Whether the answers repeat a decision that was made.
bool repeats(const run::RunContinued& made, const std::vector<ToolAnswer>& answers);

// Whether all answers are about calls that wait.
bool concerns(const std::vector<run::ToolCall>& waiting, const std::vector<ToolAnswer>& answers);

}  // namespace api::agentos
