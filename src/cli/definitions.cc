#include "cli/definitions.h"

#include <cstdio>
#include <filesystem>

namespace cli {

base::Result<app::App> load_definitions(const std::vector<std::string>& files, const llm::Environment& environment) {
  app::App app;
  for (const auto& file : files) {
    if (file.ends_with(".md")) {
      auto agent = app::load_profile(file, environment);
      if (!agent) return std::unexpected(agent.error());
      for (const auto& warning : agent->warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
      app.agents.push_back(std::move(*agent));
      continue;
    }
    auto loaded = app::load_app(file, environment);
    if (!loaded) return std::unexpected(loaded.error());
    for (const auto& warning : loaded->warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
    auto agents = std::move(app.agents);
    agents.insert(agents.end(), loaded->agents.begin(), loaded->agents.end());
    if (app.app_id.empty()) app = std::move(*loaded);
    app.agents = std::move(agents);
  }
  for (std::size_t i = 0; i < app.agents.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (app.agents[i].id == app.agents[k].id)
        return base::fail(base::Errc::invalid_argument, "agent '" + app.agents[i].id + "' is defined twice; rename one of them");
  return app;
}

app::Agent demo_agent() {
  app::Agent agent;
  agent.id = agent.name = "demo";
  agent.description = "Scripted, offline: plays demo/story without any model";
  agent.brain.provider = "demo";
  agent.brain.model = "story";
  agent.brain.endpoint.provider = "demo";
  for (const auto* name : {"Read", "Glob", "Grep"}) agent.tools.push_back({.name = name});
  return agent;
}

std::string work_directory_of(const app::App& app) {
  return app.work_directory.empty() ? std::filesystem::current_path().string() : app.work_directory;
}

}  // namespace cli
