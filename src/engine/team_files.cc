#include "engine/team_files.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "engine/projection_manifest.h"
#include "store/durable_directory.h"
#include "tool/replace_file.h"

namespace engine {

namespace json = boost::json;
namespace limits = base::limits;

namespace {

constexpr std::chrono::milliseconds kLockPoll{5};

std::unexpected<base::Error> unavailable(std::string why) { return base::fail(base::Errc::unavailable, std::move(why)); }

base::Result<tool::Fd> open_directory(const std::string& path) {
  if (const auto ec = store::make_durable_directory(path)) return unavailable("cannot make " + path + ": " + ec.message());
  tool::Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return unavailable("cannot open " + path + ": " + std::strerror(errno));
  return fd;
}

}  // namespace

json::object mail_json(const run::TeamMail& mail) {
  json::object o{{"id", mail.mail_id},
                 {"from", mail.from},
                 {"to", json::array(mail.to.begin(), mail.to.end())},
                 {"content", mail.content},
                 {"timestamp", base::iso_utc_ms(mail.at_ms)}};
  json::object read_by;
  for (const auto& [member, at_ms] : mail.read_by) read_by[member] = base::iso_utc_ms(at_ms);
  o["read_by"] = std::move(read_by);
  if (!mail.from_op.empty()) o["from_op"] = mail.from_op;
  if (!mail.kind.empty()) o["kind"] = mail.kind;
  if (!mail.artifacts.empty())
    if (auto artifacts = base::parse_json(mail.artifacts)) o["artifacts"] = *std::move(artifacts);
  return o;
}

json::object team_json(const store::Team& team, const std::vector<run::TeamMail>& mails) {
  json::array messages;
  for (const auto& mail : mails) messages.push_back(mail_json(mail));
  return {{"id", team.team_id},
          {"name", team.name},
          {"members", json::array(team.members.begin(), team.members.end())},
          {"created_at", base::iso_utc_ms(team.created_ms)},
          {"messages", std::move(messages)}};
}

aio::Task<base::Result<>> TeamFiles::refresh(store::Team team) {
  std::string broken;
  try {
    co_return co_await refresh_locked(team);
  } catch (const base::Broken& error) {
    broken = error.what();
  }
  co_return unavailable(broken);
}

// The store is read under the lock: of two that write one after the other, the second has read what the first one had.
aio::Task<base::Result<>> TeamFiles::refresh_locked(const store::Team& team) {
  auto directory = co_await files_.run([this] { return open_directory(directory_); });
  if (!directory) co_return std::unexpected(directory.error());
  // Waited for here, not in the kernel: a stopped process that holds it must not take our threads one by one.
  const auto until = time_.steady_ms() + limits::kTeamFileWaitMs;
  while (flock(directory->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) co_return unavailable("cannot lock " + directory_ + ": " + std::strerror(errno));
    if (time_.steady_ms() >= until) co_return unavailable("another process has held " + directory_ + " for too long");
    co_await time_.sleep(kLockPoll);
  }
  const auto mails = co_await store_.team_mail(team.number);
  // The descriptor goes with the place, and the lock with it.
  auto replace = [&] {
    const tool::Place place{.directory = *std::move(directory), .name = team.team_id + ".json", .path = path_of(team)};
    return tool::replace_file(place, indented(team_json(team, mails)));
  };
  auto replaced = co_await files_.run(std::move(replace));
  if (!replaced) co_return unavailable(replaced.error().message);
  co_return base::Result<>();
}

}  // namespace engine
