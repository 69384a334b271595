#pragma once
// The form of POST /agents/{id}/runs as a launch. Pure: what a client sent against what an agent is.
#include <cstdint>
#include <expected>
#include <optional>

#include "api/context.h"
#include "api/request.h"
#include "engine/launch.h"

namespace api::agentos {

struct LaunchForm {
  engine::LaunchRequest launch;
  bool stream = true, background = false, stream_events = true;
};

// The refusal to send when the form is wrong: 422, or 400 for what cannot be done with it.
std::expected<LaunchForm, net::HttpResponse> read_launch_form(const Request& request, const app::Agent& agent, const std::string& work_directory,
                                                              base::Random& random);

// A run's spec from an agent's definition; `input` is the user's message.
run::Spec spec_of(const app::Agent& agent, std::string input, std::string work_directory);

}  // namespace api::agentos
