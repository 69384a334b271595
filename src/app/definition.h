#pragma once
// Definitions of agents: app files (YAML), Markdown profiles, and config.yaml. Unknown keys are errors with "did you mean".
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "llm/price.h"
#include "llm/registry.h"
#include "run/spec.h"

namespace app {

struct Brain {
  std::string provider;  // e.g. "openai"
  std::string model;     // without provider and effort
  std::string effort;
  llm::Endpoint endpoint;      // provider, backend, base_url, api_key, timeout (secret: never stored)
  std::string unset_key = {};  // the variable of an api_key that has no value; "" there is none
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<std::int64_t> max_tokens;
};

// What a tool call meets: run at once, wait for a person, or refused.
enum class Gate { allow, approve, deny };

struct ToolGrant {
  std::string name;  // tool::Definition::name
  Gate gate = Gate::allow;
  std::optional<run::Recovery> recovery = {};  // of its calls; none: the agent's
};

// A server whose tools agents use over MCP. What it holds of the environment is never stored, logged or told.
struct McpServer {
  enum class Transport { stdio, http };
  struct Pair {
    std::string name, value;
    bool operator==(const Pair&) const = default;
  };
  std::string name;  // mcp::valid_server_name
  Transport transport = Transport::stdio;
  std::string command;  // of stdio
  std::vector<std::string> args;
  std::vector<Pair> environment;
  std::string url;  // of http
  std::vector<Pair> headers;
  std::optional<std::int64_t> timeout_ms;  // of one call
  std::vector<std::string> secrets;        // values among these that no text may show
  std::string unset;                       // a variable that has no value here, so that it cannot be started; "" there is none
  bool operator==(const McpServer&) const = default;
};

struct Agent {
  std::string id;           // 1-128 bytes, unique in the app
  std::string name;         // for people; defaults to the id
  std::string description;  // from specialty or role, may be empty
  Brain brain;
  std::string system_prompt;
  // Resolved from modules and capabilities. Denied ones are left out, but where all others of an MCP server are granted.
  std::vector<ToolGrant> tools;
  std::vector<std::string> mcp_servers;  // by name, those whose tools it may use
  std::string file;                      // the app file that it is of, absolute; "" none
  std::optional<std::int64_t> max_turns;
  std::optional<std::int64_t> timeout_ms;
  std::optional<std::int64_t> foreground_ms;  // of a command (run::Limits)
  run::TaskLimits tasks;                      // in the background
  std::optional<std::int64_t> approval_ms;    // a decision that takes longer is a no
  run::ToolSettings settings;
  std::optional<std::vector<std::string>> delegate_to;  // ids of agents that it may give work to; none: all others
  std::vector<run::TeamMember> team;    // those, and whom they may ask, where it has the Agent tool
  std::vector<std::string> may_ask;
  std::vector<run::Hook> hooks;               // in the order in which they fire
  std::vector<std::string> hook_tools;        // which tools they may call
  run::Limits context;                        // of the conversation alone: what the model holds, what a compaction keeps
  std::optional<run::Recovery> recovery;      // when its executor dies in the middle of a step
  std::vector<std::string> warnings;          // of a profile; those of an app file are in App
};

struct App {
  std::string app_id;
  std::string name;
  std::string version;
  std::string description;
  std::string entry_agent;
  std::string work_directory;  // absolute or empty
  std::vector<Agent> agents;
  std::vector<McpServer> mcp_servers;
  run::ToolSettings settings;         // of its modules: for calls that no agent makes
  std::vector<std::string> warnings;  // what is accepted but has no effect yet
};

// One problem of a file: "agents[0].brain.modle: unknown key, did you mean 'model'? (app.yaml:14:7, DGT-E0101)".
// All problems of a file are reported together, joined by newlines, in one Errc::invalid_argument.
base::Result<App> load_app(const std::string& path, const llm::Environment& environment);
base::Result<App> parse_app(std::string_view yaml, std::string_view file_name, const llm::Environment& environment);

// A Markdown profile: YAML front matter (model, effort, yolo, bypass, timeout, role, name, description, tools, ...) and a body,
// the system prompt. Becomes an agent whose id is the file's stem.
base::Result<Agent> load_profile(const std::string& path, const llm::Environment& environment);

// The names of the profiles that are found from there.
std::vector<std::string> profile_names(const std::string& cwd, const std::string& home);

// Finds `name` in .outlast/agents (then .lionagi/agents) of the git root, of each directory from `cwd` upward, and of
// `home`/agents: <name>.md or <name>/<name>.md. Not found: the message is "Agent profile 'x' not found\nAvailable: a, b".
base::Result<std::string> find_profile(std::string_view name, const std::string& cwd, const std::string& home);

struct Config {  // <home>/config.yaml; absent file = defaults
  std::map<std::string, llm::Endpoint> providers;
  std::optional<std::string> default_model;
  std::optional<std::int64_t> keep_days;  // retention of finished runs' events
  std::optional<std::int64_t> max_concurrent_runs, max_pending_runs;
  run::HarnessLimits harness;  // deadlines of coding-agent programs
  std::optional<std::int64_t> harness_runs_max;  // how many of them are at work at once; none: as many as there are
  llm::PriceList prices;
  std::vector<std::string> warnings;  // e.g. a file with keys in it that others may read
};
base::Result<Config> load_config(const std::string& path);

}  // namespace app
