#pragma once
// The file of each team, <home>/teams/<id>.json (docs/formats/teams.md): a view of what the store holds, for people and other
// programs. Whoever changes a team brings its file up to date afterwards; nothing is ever decided by what a file says.
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "aio/offload.h"
#include "aio/time.h"
#include "store/store.h"

namespace engine {

class TeamFiles {
 public:
  // `directory` is absolute. The others outlive it; blocking work is done on `files`.
  TeamFiles(store::Store& store, aio::Time& time, aio::Offload& files, std::string directory)
      : store_(store), time_(time), files_(files), directory_(std::move(directory)) {}

  std::string path_of(const store::Team& team) const { return directory_ + "/" + team.team_id + ".json"; }

  // Replaces the file by what the store holds now. Errc::unavailable says why it could not be; the store is right all the same,
  // and the next change tries again.
  aio::Task<base::Result<>> refresh(store::Team team);

 private:
  aio::Task<base::Result<>> refresh_locked(const store::Team& team);

  store::Store& store_;
  aio::Time& time_;
  aio::Offload& files_;
  const std::string directory_;
};

// A message, and a whole team, as the file tells them.
boost::json::object mail_json(const run::TeamMail& mail);
boost::json::object team_json(const store::Team& team, const std::vector<run::TeamMail>& mails);

}  // namespace engine
