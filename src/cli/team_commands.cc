#include "cli/team_commands.h"

#include "cli/actions.h"
#include "cli/team.h"

namespace cli {

namespace {

constexpr const char* kTeam = "the team: its id, a unique beginning of it, or its name";

int create(const Words& words) {
  TeamCreateOptions o;
  Parser p("team create", "NAME -m a,b [--json]",
           "Makes a team and prints its id. Its members are only names: who writes says who it is.",
           "Example:\n  outlast team create review -m reader,critic");
  p.app.add_option("name", o.name, "what it is called")->required();
  p.app.add_option("-m,--members", o.members, "names with commas between")->option_text("NAMES");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_team_create(o);
}

int list(const Words& words) {
  bool json = false;
  Parser p("team list", "[--json]", "Lists teams, newest first.");
  p.app.add_flag("--json", json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_team_list(json);
}

int show(const Words& words) {
  TeamShowOptions o;
  Parser p("team show", "TEAM [--json]", "Shows a team and all of its messages, with who has read them. Marks nothing as read.");
  p.app.add_option("team", o.team, kTeam)->required();
  p.app.add_flag("--json", o.json, "print what the team's file holds");
  if (const auto code = p.parse(words)) return *code;
  return run_team_show(o);
}

int send(const Words& words) {
  TeamSendOptions o;
  Parser p("team send", "TEXT -t TEAM --to all|a,b [OPTIONS]",
           "Sends a message to members of a team, or to all of them. TEXT '-' is read from standard input.",
           "Example:\n  outlast team send \"The draft is in draft.md\" -t review --to critic --from reader");
  p.app.add_option("text", o.text, "the message")->required();
  p.app.add_option("-t,--team", o.team, kTeam)->required()->option_text("TEAM");
  p.app.add_option("--to", o.to, "all, or names with commas between")->required()->option_text("NAMES");
  p.app.add_option("--from", o.from, "who sends it (default: _cli)")->option_text("NAME");
  p.app.add_option("--from-op", o.from_op, "the operation of a flow that it tells of")->option_text("OP");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_team_send(o);
}

int receive(const Words& words) {
  TeamReceiveOptions o;
  Parser p(
      "team receive", "-t TEAM [--as NAME] [--json]",
      "Prints what a member has not read yet, and marks it as read by that member. Without --as: all messages, and nothing is\n"
      "marked.",
      "Example:\n  outlast team receive -t review --as critic");
  p.app.add_option("-t,--team", o.team, kTeam)->required()->option_text("TEAM");
  p.app.add_option("--as", o.as, "the member who reads")->option_text("NAME");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_team_receive(o);
}

constexpr Action kActions[] = {
    {"create", "create NAME -m a,b", "make a team", create},
    {"list", "list", "list teams (or: ls)", list},
    {"ls", "", "", list},
    {"send", "send TEXT -t TEAM --to all|a,b", "send a message; --from NAME says who sends it", send},
    {"receive", "receive -t TEAM [--as NAME]", "what NAME has not read yet; without --as: everything (or: recv)", receive},
    {"recv", "", "", receive},
    {"show", "show TEAM", "a team with all its messages", show},
};

}  // namespace

int team(const Words& words) {
  return run_action("team", kActions, words,
                    "A team is a list of names whose owners write to each other: agents of a flow, scripts, people. Its messages are kept in\n"
                    "the store and shown in ~/.outlast/teams/ID.json.",
                    "outlast team send --help explains one.");
}

}  // namespace cli
