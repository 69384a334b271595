#pragma once
// `tools.capabilities`: which tool an agent gets, and behind which gate. Reading the block and deciding are apart; deciding is
// pure.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/catalogue.h"
#include "app/definition.h"
#include "app/problems.h"
#include "app/yaml.h"
#include "run/tool_settings.h"

namespace app {

enum class Policy { allow, approve, block };

// One line of grant, approve, deny or hidden_actions. No actions: the whole module.
struct Rule {
  std::string module;
  std::vector<std::string> actions;
  std::string path;  // where it stands, for messages
  Mark mark;

  bool covers(const KnownTool& tool) const;
  bool names(const KnownTool& tool) const;  // by its action, not by its module alone
};

struct Capabilities {
  Policy default_policy = Policy::approve;
  Risk max_risk = Risk::medium;
  std::vector<Rule> grant;
  std::vector<Rule> approve;
  std::vector<Rule> deny;
  std::vector<Rule> hidden;
  std::vector<run::RateLimit> rate_limits;
  std::optional<std::int64_t> approval_ms;  // a decision that takes longer is a no
};

// Reads a block whose shape was checked; unknown modules and tools and impossible grants go to `problems`.
Capabilities read_capabilities(const Node& block, const std::string& path, Problems& problems);

// deny > approve > grant > default_policy. An explicit grant or approval passes the risk cap. Gate::deny: not offered at all.
// Without a block nothing is enforced.
Gate gate(const KnownTool& tool, const std::optional<Capabilities>& capabilities);

// What remains where two blocks apply: the stricter.
Gate stricter(Gate a, Gate b);

// Checks that a module is known, and its action where all its actions are.
void check_module(std::string_view module, const std::string& path, Mark mark, Problems& problems);
void check_action(std::string_view module, std::string_view action, const std::string& path, Mark mark, Problems& problems);

}  // namespace app
