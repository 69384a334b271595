#pragma once
// The mail of the caller's team, as tools may use it. Implemented by the engine. Io thread.
#include <string>
#include <vector>

#include "aio/task.h"
#include "base/error.h"
#include "run/team_mail.h"

namespace tool {

struct Context;

class TeamMail {
 public:
  virtual ~TeamMail() = default;

  struct Sent {
    std::string mail_id;
    std::vector<std::string> outsiders;  // recipients who are no members; they may read it all the same
    std::vector<std::string> members;
  };
  // `to` as run::recipients gives it. Once for each call: one that is made again finds its message. Errc: not_found (the
  // caller's run has no seat in a team, or the team is gone), busy (the team is full).
  virtual aio::Task<base::Result<Sent>> send(const Context& caller, std::vector<std::string> to, std::string content) = 0;

  struct Received {
    std::string member;                // the caller's name there
    std::vector<run::TeamMail> mails;  // oldest first, without what the caller said to everybody
    bool more = false;                 // there is more to read
  };
  // What the caller has not read, marked as read in the same step. A call that is made again gets the same.
  virtual aio::Task<base::Result<Received>> receive(const Context& caller) = 0;
};

}  // namespace tool
