#pragma once
// Agents that an agent may give work to. They travel with the run, so that an edited app file changes nothing under way.
#include <string>
#include <string_view>
#include <vector>

namespace run {

struct Spec;

struct TeamMember {
  std::string id;
  std::string description;            // for whoever chooses among them
  std::string spec;                   // a Spec as JSON text, without input, place and team
  std::vector<std::string> may_ask;   // ids that it may give work to in turn
};

inline constexpr int kTeamDepthMax = 8;  // of runs that give work to runs

// The member of this name (any case) that the run's agent may ask; with "" the only one. Null: there is none.
const TeamMember* find_member(const Spec& spec, std::string_view id);

// The members that it may ask, for the model.
std::string team_text(const Spec& spec);

}  // namespace run
