#pragma once
// The agents that a serving command is given: app files and profiles, or the scripted one.
#include <string>
#include <vector>

#include "app/definition.h"

namespace cli {

// One app of all the files: an app file may stand beside profiles, two app files are joined. Errc::invalid_argument.
base::Result<app::App> load_definitions(const std::vector<std::string>& files, const llm::Environment& environment);

// What there is to try everything with: offline, and it says so.
app::Agent demo_agent();

// Where tools of the app's runs work: its own directory, else this process'.
std::string work_directory_of(const app::App& app);

}  // namespace cli
