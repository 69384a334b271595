#include "app/check.h"

#include <algorithm>
#include <map>

#include "app/app_file.h"
#include "app/file.h"
#include "app/profile.h"

namespace app {

namespace {

std::optional<App> read(const std::string& path, const std::string& text, const llm::Environment& environment,
                        Problems& problems) {
  if (!path.ends_with(".md")) return read_app(text, path, environment, problems);
  auto agent = read_profile(text, profile_id(path), problems);
  if (!agent) return std::nullopt;
  App app;
  app.entry_agent = agent->id;
  app.warnings = agent->warnings;
  app.agents.push_back(std::move(*agent));
  return app;
}

}  // namespace

base::Result<CheckedFile> check_file(const std::string& path, const llm::Environment& environment) {
  const auto file = read_text_file(path);
  if (!file) return std::unexpected(file.error());
  Problems problems{path};
  CheckedFile checked{.file = path, .errors = {}, .warnings = {}, .app = read(path, file->text, environment, problems)};
  checked.errors = problems.errors();
  checked.warnings = problems.warnings();
  checked.errors_left_out = problems.left_out();
  sort_by_position(checked.errors);
  sort_by_position(checked.warnings);
  return checked;
}

void check_together(std::vector<CheckedFile>& files) {
  std::map<std::string, const CheckedFile*> defined;
  for (auto& checked : files) {
    if (!checked.app) continue;
    for (const auto& agent : checked.app->agents) {
      const auto [first, fresh] = defined.emplace(agent.id, &checked);
      if (!fresh)
        checked.errors.push_back(
            {"agents",
             "agent '" + shown(agent.id) + "' is defined in " + first->second->file + " too; rename one of them",
             {1, 1},
             Code::duplicate_id});
    }
  }
}

}  // namespace app
