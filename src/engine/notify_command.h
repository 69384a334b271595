#pragma once
// The command that a person wants to be run when something has happened to a run: a task of that run, like an agent's own, but nobody
// has to approve it, since its user wrote it.
#include <boost/json/value.hpp>
#include <string>

#include "engine/executor.h"

namespace engine {

// A text in the payload that such a command is given; null where there is none.
boost::json::value text_or_null(const std::string& text);

// `key` is the occasion: of one occasion the command is run once, whoever asks again. The command is whole, see run::filled_command.
LaunchRequest notify_request(const store::Run& run, const run::Spec& spec, std::string directory, std::string command, const std::string& key);

// Runs it beside the run. What goes wrong is logged and changes nothing of the run.
aio::Task<> notify(Executor& executor, LaunchRequest request);

}  // namespace engine
