#include "cli/check.h"

#include "app/check.h"
#include "base/json.h"
#include "cli/output.h"
#include "cli/problem_lines.h"
#include "cli/process.h"

namespace cli {

namespace {

namespace json = boost::json;

std::string_view gate_name(app::Gate gate) {
  if (gate == app::Gate::deny) return "deny";
  return gate == app::Gate::approve ? "approve" : "auto";
}

std::string_view transport_name(const app::McpServer& server) {
  return server.transport == app::McpServer::Transport::stdio ? "stdio" : "http";
}

std::string model_of(const app::Brain& brain) {
  auto text = brain.provider.empty() ? "(no model)" : brain.provider + "/" + brain.model;
  if (!brain.effort.empty()) text += "-" + brain.effort;
  return text;
}

// "agent main: deepseek/deepseek-chat, Read, Bash (approve)".
std::string agent_line(const app::Agent& agent, const app::App& app) {
  auto text = "agent " + agent.id + ": " + model_of(agent.brain);
  if (agent.tools.empty()) text += ", no tools";
  for (const auto& tool : agent.tools) {
    text += ", " + tool.name;
    if (tool.gate != app::Gate::allow) text += " (" + std::string(gate_name(tool.gate)) + ")";
  }
  if (app.agents.size() > 1 && agent.id == app.entry_agent) text += " [entry agent]";
  return harmless(text);
}

void print_file(const app::CheckedFile& checked) {
  print_problems({checked.file, checked.errors, checked.warnings, checked.errors_left_out});
  if (!checked.ok() || !checked.app) return;
  for (const auto& agent : checked.app->agents) put_line(agent_line(agent, *checked.app));
  for (const auto& server : checked.app->mcp_servers)
    put_line("mcp server " + server.name + ": " + std::string(transport_name(server)));
}

json::array agents_json(const app::CheckedFile& checked) {
  json::array list;
  if (!checked.ok() || !checked.app) return list;
  for (const auto& agent : checked.app->agents) {
    json::array tools;
    for (const auto& tool : agent.tools) tools.push_back(json::object{{"name", tool.name}, {"gate", gate_name(tool.gate)}});
    json::object one{{"id", agent.id}, {"name", agent.name}, {"model", nullptr}, {"entry", agent.id == checked.app->entry_agent}};
    if (!agent.brain.provider.empty()) one["model"] = model_of(agent.brain);
    one["tools"] = std::move(tools);
    list.push_back(std::move(one));
  }
  return list;
}

json::array servers_json(const app::CheckedFile& checked) {
  json::array list;
  if (!checked.ok() || !checked.app) return list;
  for (const auto& server : checked.app->mcp_servers)
    list.push_back(json::object{{"name", server.name}, {"transport", transport_name(server)}});
  return list;
}

json::object file_json(const app::CheckedFile& checked) {
  json::object one{{"file", checked.file},
                   {"errors", problems_json(checked.errors)},
                   {"warnings", problems_json(checked.warnings)},
                   {"agents", agents_json(checked)},
                   {"mcp_servers", servers_json(checked)}};
  if (checked.errors_left_out) one["errors_left_out"] = checked.errors_left_out;
  return one;
}

struct Sum {
  std::size_t errors = 0, warnings = 0, agents = 0;
};

std::string verdict(const Sum& sum, std::size_t files, bool ok) {
  if (ok) return "ok: " + counted(files, "file") + ", " + counted(sum.agents, "agent") + ", " + counted(sum.warnings, "warning");
  return "wrong: " + counted(sum.errors, "error") + ", " + counted(sum.warnings, "warning") +
         (sum.errors ? "" : " (--strict: a warning counts as an error)");
}

}  // namespace

int run_check(const CheckOptions& options) {
  const auto settings = load_settings();
  if (!settings) return complain(kUnusable, settings.error().message);
  std::vector<app::CheckedFile> files;
  for (const auto& path : options.files) {
    auto checked = app::check_file(path, settings->environment);
    if (!checked) return complain(kUsage, checked.error().message);
    files.push_back(std::move(*checked));
  }
  app::check_together(files);
  Sum sum;
  for (const auto& checked : files) {
    sum.errors += checked.errors.size() + checked.errors_left_out;
    sum.warnings += checked.warnings.size();
    if (checked.ok() && checked.app) sum.agents += checked.app->agents.size();
  }
  const bool ok = sum.errors == 0 && !(options.strict && sum.warnings);
  if (options.json) {
    json::array list;
    for (const auto& checked : files) list.push_back(file_json(checked));
    put_line(base::to_text(json::object{{"ok", ok}, {"files", std::move(list)}}));
  } else {
    for (const auto& checked : files) print_file(checked);
    put_line(verdict(sum, files.size(), ok));
  }
  return ok ? kOk : kFailed;
}

}  // namespace cli
