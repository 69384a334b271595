#include "engine/team_mail.h"

#include "base/limits.h"
#include "base/log.h"
#include "engine/written.h"

namespace engine {

namespace limits = base::limits;

namespace {

base::Result<run::TeamSeat> seat_of(const tool::Context& caller) {
  if (!caller.spec || !caller.spec->seat)
    return base::fail(base::Errc::not_found, "this run is not a member of a team, so it has no mail");
  return *caller.spec->seat;
}

// Calls of a run have ids of their own (model_step.cc), so that a call that is made again is known.
std::string key_of(const tool::Context& caller) { return caller.run_id + "/" + caller.call_id; }

}  // namespace

aio::Task<base::Result<TeamMail::Sent>> TeamMail::send(const tool::Context& caller, std::vector<std::string> to,
                                                       std::string content) {
  const auto seat = seat_of(caller);
  if (!seat) co_return std::unexpected(seat.error());
  const auto team = co_await store_.find_team(seat->team);
  if (!team) co_return std::unexpected(team.error());
  Sent sent{.mail_id = {}, .outsiders = run::outsiders(to, team->members), .members = team->members};
  run::TeamMail mail{.from = seat->member, .to = std::move(to), .content = std::move(content)};
  const auto kept = co_await written(store_.send_mail(team->number, std::move(mail), key_of(caller)), "a message to a team");
  if (!kept) co_return std::unexpected(kept.error());
  co_await show(*team);
  sent.mail_id = kept->mail_id;
  co_return sent;
}

aio::Task<base::Result<TeamMail::Received>> TeamMail::receive(const tool::Context& caller) {
  const auto seat = seat_of(caller);
  if (!seat) co_return std::unexpected(seat.error());
  const auto team = co_await store_.find_team(seat->team);
  if (!team) co_return std::unexpected(team.error());
  const store::MailPage page{limits::kTeamReceivedMax, limits::kTeamReceivedBytesMax};
  auto taken =
      co_await written(store_.receive_mail(team->number, seat->member, page, key_of(caller)), "what a member of a team has read");
  if (!taken) co_return std::unexpected(taken.error());
  if (!taken->mails.empty()) co_await show(*team);
  std::erase_if(taken->mails, [&seat](const run::TeamMail& m) { return m.from == seat->member && m.to_everybody(); });
  co_return Received{seat->member, std::move(taken->mails), taken->more};
}

// The message is sent, whatever becomes of its picture.
aio::Task<> TeamMail::show(store::Team team) {
  const auto path = files_.path_of(team);
  const auto shown = co_await files_.refresh(std::move(team));
  if (!shown) base::log::warning("a team's file is not up to date", {{"file", path}, {"reason", shown.error().message}});
}

}  // namespace engine
