#pragma once
// Teams as the store keeps them; what their members write is run::TeamMail.
#include <cstdint>
#include <string>
#include <vector>

#include "run/team_mail.h"

namespace store {

using TeamNumber = std::int64_t;  // the store's own; never shown to a client

struct Team {
  TeamNumber number = 0;
  std::string team_id = {};  // 12 hex digits
  std::string name = {};     // several may have the same
  std::vector<std::string> members = {};
  std::int64_t created_ms = 0;
  std::int64_t message_count = 0;
};

// How much one look takes; one message in any case.
struct MailPage {
  std::size_t messages_max = SIZE_MAX;
  std::size_t bytes_max = SIZE_MAX;  // of contents, about
};

struct ReceivedMail {
  std::vector<run::TeamMail> mails;  // oldest first
  bool more = false;                 // the member has not read everything yet
};

}  // namespace store
