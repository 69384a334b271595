#pragma once
// What the members of a team write to each other, and what may be a name or a message there. Pure.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace run {

inline constexpr std::string_view kEverybody = "*";  // as the only recipient: all members, also those who come later

// Where a run sits: it reads and writes a team's mail under this name.
struct TeamSeat {
  std::string team;  // its id
  std::string member;
};

struct MailRead {
  std::string member;
  std::int64_t at_ms = 0;
};

struct TeamMail {
  std::int64_t number = 0;   // grows from each to the next of its team
  std::string mail_id = {};  // 12 hex digits
  std::string from = {};
  std::vector<std::string> to = {};  // names, or kEverybody alone
  std::string content = {};
  std::int64_t at_ms = 0;
  std::string from_op = {};            // the operation of a flow that it tells of; "" none
  std::string kind = {};               // "message", "done", "finished", "wakeup"; "" is a plain message
  std::string artifacts = {};          // a JSON list as text; "" none
  std::vector<MailRead> read_by = {};  // in the order of their reading, where that was asked for

  bool to_everybody() const { return to.size() == 1 && to.front() == kEverybody; }
};

// As they are kept: without blanks around them. Errc::invalid_argument says what is wrong.
base::Result<std::string> team_name(std::string_view text);
base::Result<std::string> member_name(std::string_view text);  // "all" and "*" mean everybody and are nobody's name
base::Result<std::vector<std::string>> member_names(const std::vector<std::string>& words);  // each once; 1 or more
// "all" in any case, alone or among names, is everybody.
base::Result<std::vector<std::string>> recipients(const std::vector<std::string>& words);
// Everything besides names: content, operation, kind, artifacts.
base::Result<> check_mail(const TeamMail& mail);

// Those of `names` who are no members; everybody is none.
std::vector<std::string> outsiders(const std::vector<std::string>& names, const std::vector<std::string>& members);

}  // namespace run
