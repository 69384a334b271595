#pragma once
// Teams and their mail; see run_writes.h for how the writes run.
#include <string>
#include <vector>

#include "base/error.h"
#include "store/sqlite/database.h"
#include "store/team.h"

namespace store::sqlite {

base::Result<Team> insert_team(Database& db, const Team& team, std::int64_t now_ms);
base::Result<run::TeamMail> insert_mail(Database& db, TeamNumber team, const run::TeamMail& mail, const std::string& key,
                                        std::int64_t now_ms);
// What the member has not read yet, marked as read.
base::Result<ReceivedMail> take_mail(Database& db, TeamNumber team, const std::string& member, const MailPage& page,
                                     const std::string& key, std::int64_t now_ms);

base::Result<Team> select_team(Database& db, const std::string& which);
std::vector<Team> select_teams(Database& db);
// All of the team, oldest first, with who has read it.
std::vector<run::TeamMail> select_mails(Database& db, TeamNumber team);

}  // namespace store::sqlite
