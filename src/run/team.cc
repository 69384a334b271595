#include "run/team.h"

#include <algorithm>

#include "base/text.h"
#include "run/spec.h"

namespace run {

const TeamMember* find_member(const Spec& spec, std::string_view id) {
  const auto asked = id.empty() && spec.may_ask.size() == 1 ? std::string_view(spec.may_ask.front()) : id;
  const auto same = [asked](std::string_view other) { return base::to_lower(other) == base::to_lower(asked); };
  if (std::ranges::none_of(spec.may_ask, same)) return nullptr;
  const auto at = std::ranges::find_if(spec.team, same, &TeamMember::id);
  return at == spec.team.end() ? nullptr : &*at;
}

std::string team_text(const Spec& spec) {
  std::string text;
  for (const auto& id : spec.may_ask)
    if (const auto* member = find_member(spec, id))
      text += (text.empty() ? " Specialists: " : "; ") + member->id + (member->description.empty() ? "" : " (" + member->description + ")");
  return text.empty() ? text : text + ".";
}

}  // namespace run
