#pragma once
// Teams and their messages, for people and scripts (docs/cli.md). The texts are a contract.
#include <optional>
#include <string>

namespace cli {

struct TeamCreateOptions {
  std::string name;
  std::string members;  // with commas between
  bool json = false;
};
struct TeamShowOptions {
  std::string team;
  bool json = false;
};
struct TeamSendOptions {
  std::string text;  // "-": standard input
  std::string team;
  std::string to;  // "all", or names with commas between
  std::optional<std::string> from;
  std::string from_op;
  bool json = false;
};
struct TeamReceiveOptions {
  std::string team;
  std::optional<std::string> as;  // none: everything, nothing is marked
  bool json = false;
};

int run_team_create(const TeamCreateOptions& options);
int run_team_list(bool json);
int run_team_show(const TeamShowOptions& options);
int run_team_send(const TeamSendOptions& options);
int run_team_receive(const TeamReceiveOptions& options);

}  // namespace cli
