#pragma once
// branches/<id>.json, the snapshot of one conversation: what a later leg continues from, for people and other programs. Pure.
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "run/agent.h"
#include "run/spec.h"
#include "store/types.h"

namespace engine {

// `past` is the conversation before the run; `state` the fold of the run so far.
boost::json::object branch_snapshot(const store::Run& run, const run::Spec& spec, const std::vector<run::Message>& past,
                                    const run::AgentState& state, std::int64_t now_ms);

// The file name (without ending) of a session: its id where that is a plain file name, else an escaped or digested form of it.
std::string branch_file_name(std::string_view session_id);

}  // namespace engine
