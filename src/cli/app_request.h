#pragma once
// What `outlast run` and `outlast chat` ask for: a message for an agent of an app file, checked whole before anything is written.
#include <optional>
#include <string>
#include <vector>

#include "app/definition.h"
#include "cli/output.h"
#include "cli/process.h"
#include "cli/session_of.h"
#include "engine/launch.h"

namespace cli {

struct AppOptions {
  std::string file;
  std::optional<std::string> agent;            // its id; none: the session's, else the entry agent
  std::optional<std::string> session, resume;  // exact id of an old or new session; id or prefix of an old one
  bool continue_last = false;
  std::optional<std::string> cwd, recovery;
  std::optional<double> timeout_s;
  std::vector<std::string> inputs;             // "key=value": {{input.key}} of the message and the system prompt
};

// The app of a file (or of a profile, ".md"), with its warnings said on stderr; or all that is wrong with it.
Checked<app::App> load_runnable(const std::string& file, const Settings& settings);

// The session that the options name: an old one, a new one of that id, or none (id ""). One with a live run is not refused here.
aio::Task<Checked<SessionOf>> session_of_app(Process& process, AppOptions options);

// `message` may be empty where there are inputs.
Checked<engine::LaunchRequest> app_request(Process& process, const app::App& app, const AppOptions& options, std::string message,
                                           const SessionOf& session);

}  // namespace cli
