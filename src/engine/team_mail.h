#pragma once
// Mail of teams, kept in the store and shown in their files.
#include <string>
#include <vector>

#include "engine/team_files.h"
#include "tool/team_mail.h"
#include "tool/tool.h"

namespace engine {

class TeamMail final : public tool::TeamMail {
 public:
  // Both outlive it.
  TeamMail(store::Store& store, TeamFiles& files) : store_(store), files_(files) {}

  aio::Task<base::Result<Sent>> send(const tool::Context& caller, std::vector<std::string> to, std::string content) override;
  aio::Task<base::Result<Received>> receive(const tool::Context& caller) override;

 private:
  aio::Task<> show(store::Team team);

  store::Store& store_;
  TeamFiles& files_;
};

}  // namespace engine
