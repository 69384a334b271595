#include "store/sqlite/teams.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

namespace store::sqlite {

namespace limits = base::limits;
using run::TeamMail;

namespace {

constexpr std::size_t kCandidates = 5;
constexpr std::size_t kIdDigits = 12;

#define OUTLAST_TEAM_COLUMNS "id, team_id, name, members, created_ms, message_count"
#define OUTLAST_MAIL_COLUMNS "id, message_id, sender, recipients, content, at_ms, from_op, kind, artifacts"
// Mail to a member, or to everybody.
#define OUTLAST_MAIL_FOR \
  "team = ?1 AND id > ?3 AND (recipients = '[\"*\"]' OR EXISTS(SELECT 1 FROM json_each(recipients) WHERE value = ?2))"

std::string list_text(const std::vector<std::string>& names) {
  return base::to_text(boost::json::array(names.begin(), names.end()));
}

std::vector<std::string> names_of(std::string_view text) {
  std::vector<std::string> names;
  const auto list = base::parse_json(text);
  if (!list || !list->is_array()) throw Damaged("a list of names is none: " + std::string(text.substr(0, 64)));
  for (const auto& item : list->get_array())
    if (item.is_string()) names.emplace_back(item.get_string());
  return names;
}

Team read_team(const Query& row) {
  return {.number = row.integer(0),
          .team_id = row.text(1),
          .name = row.text(2),
          .members = names_of(row.bytes(3)),
          .created_ms = row.integer(4),
          .message_count = row.integer(5)};
}

TeamMail read_mail(const Query& row) {
  return {.number = row.integer(0),
          .mail_id = row.text(1),
          .from = row.text(2),
          .to = names_of(row.bytes(3)),
          .content = row.text(4),
          .at_ms = row.integer(5),
          .from_op = row.text(6),
          .kind = row.text(7),
          .artifacts = row.text(8)};
}

std::optional<Team> by_id(Database& db, const std::string& team_id) {
  auto q = db.query("SELECT " OUTLAST_TEAM_COLUMNS " FROM team WHERE team_id = ?");
  q.bind(team_id);
  if (!q.step()) return std::nullopt;
  return read_team(q);
}

std::optional<TeamMail> mail_by_key(Database& db, TeamNumber team, const std::string& key) {
  auto q = db.query("SELECT " OUTLAST_MAIL_COLUMNS " FROM team_message WHERE team = ? AND key = ?");
  q.bind(team).bind(key);
  if (!q.step()) return std::nullopt;
  return read_mail(q);
}

// A piece of a team's mail that a member has read at once.
struct Reading {
  std::int64_t after = 0, through = 0, at_ms = 0;
};

std::optional<Reading> reading_by_key(Database& db, TeamNumber team, const std::string& key) {
  auto q = db.query("SELECT after, through, at_ms FROM team_read WHERE team = ? AND key = ?");
  q.bind(team).bind(key);
  if (!q.step()) return std::nullopt;
  return Reading{q.integer(0), q.integer(1), q.integer(2)};
}

std::int64_t read_through(Database& db, TeamNumber team, const std::string& member) {
  auto q = db.query("SELECT coalesce(max(through), 0) FROM team_read WHERE team = ? AND member = ?");
  q.bind(team).bind(member);
  return q.step() ? q.integer(0) : 0;
}

std::vector<TeamMail> mails_for(Database& db, TeamNumber team, const std::string& member, std::int64_t after,
                                std::int64_t through, const MailPage& page) {
  auto q = db.query("SELECT " OUTLAST_MAIL_COLUMNS " FROM team_message WHERE " OUTLAST_MAIL_FOR " AND id <= ?4 ORDER BY id");
  q.bind(team).bind(member).bind(after).bind(through);
  std::vector<TeamMail> mails;
  for (std::size_t bytes = 0; bytes < page.bytes_max && mails.size() < page.messages_max && q.step();) {
    mails.push_back(read_mail(q));
    bytes += mails.back().content.size();
  }
  return mails;
}

bool any_for(Database& db, TeamNumber team, const std::string& member, std::int64_t after) {
  auto q = db.query("SELECT 1 FROM team_message WHERE " OUTLAST_MAIL_FOR " LIMIT 1");
  q.bind(team).bind(member).bind(after);
  return q.step();
}

base::Result<Team> only_one(const std::string& which, std::vector<Team> found) {
  if (found.size() == 1) return std::move(found.front());
  std::string text = "'" + which + "' is ambiguous; it could be";
  for (std::size_t i = 0; i < std::min(found.size(), kCandidates); ++i)
    text += "\n  " + found[i].team_id + "  " + found[i].name + "  made " + base::iso_utc(found[i].created_ms) + ", " +
            std::to_string(found[i].message_count) + " messages";
  if (found.size() > kCandidates) text += "\n  ...";
  return base::fail(base::Errc::ambiguous, text + "\nName it by its id.");
}

}  // namespace

base::Result<Team> insert_team(Database& db, const Team& team, std::int64_t now_ms) {
  if (auto known = by_id(db, team.team_id)) {
    if (known->name == team.name && known->members == team.members) return *std::move(known);
    return base::fail(base::Errc::conflict, "another team has the id " + team.team_id);
  }
  db.query("INSERT INTO team(team_id, name, members, created_ms) VALUES(?, ?, ?, ?)")
      .bind(team.team_id)
      .bind(team.name)
      .bind(list_text(team.members))
      .bind(now_ms)
      .run();
  return *by_id(db, team.team_id);
}

base::Result<TeamMail> insert_mail(Database& db, TeamNumber team, const TeamMail& mail, const std::string& key,
                                   std::int64_t now_ms) {
  if (auto sent = mail_by_key(db, team, key)) return *std::move(sent);
  const auto bytes = static_cast<std::int64_t>(mail.content.size() + mail.artifacts.size());
  {
    auto q = db.query("SELECT message_count, message_bytes FROM team WHERE id = ?");
    q.bind(team);
    if (!q.step()) return base::fail(base::Errc::not_found, "there is no such team");
    if (q.integer(0) >= limits::kTeamMailsMax || q.integer(1) + bytes > limits::kTeamBytesMax)
      return base::fail(base::Errc::busy, "the team has as many messages as it may (" + std::to_string(limits::kTeamMailsMax) +
                                              ", or " + std::to_string(limits::kTeamBytesMax >> 20) +
                                              " MiB together); make a new one");
  }
  db.query("UPDATE team SET message_count = message_count + 1, message_bytes = message_bytes + ? WHERE id = ?")
      .bind(bytes)
      .bind(team)
      .run();
  // The same key is the same id, so that a repeated sender can know it.
  const auto mail_id = base::sha256_hex(std::to_string(team) + "/" + key).substr(0, kIdDigits);
  const auto recipients = list_text(mail.to);
  db.query(
        "INSERT INTO team_message(team, message_id, sender, recipients, content, at_ms, from_op, kind, artifacts, key) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(team)
      .bind(mail_id)
      .bind(mail.from)
      .bind(recipients)
      .bind(mail.content)
      .bind(now_ms)
      .bind(mail.from_op)
      .bind(mail.kind)
      .bind(mail.artifacts)
      .bind(key)
      .run();
  return *mail_by_key(db, team, key);
}

base::Result<ReceivedMail> take_mail(Database& db, TeamNumber team, const std::string& member, const MailPage& page,
                                     const std::string& key, std::int64_t now_ms) {
  if (const auto made = reading_by_key(db, team, key))
    return ReceivedMail{mails_for(db, team, member, made->after, made->through, {}), any_for(db, team, member, made->through)};
  const auto after = read_through(db, team, member);
  ReceivedMail taken{.mails = mails_for(db, team, member, after, INT64_MAX, page)};
  if (taken.mails.empty()) return taken;
  const auto through = taken.mails.back().number;
  db.query("INSERT INTO team_read(team, member, after, through, at_ms, key) VALUES(?, ?, ?, ?, ?, ?)")
      .bind(team)
      .bind(member)
      .bind(after)
      .bind(through)
      .bind(now_ms)
      .bind(key)
      .run();
  taken.more = any_for(db, team, member, through);
  return taken;
}

base::Result<Team> select_team(Database& db, const std::string& which) {
  if (auto exact = by_id(db, which)) return *std::move(exact);
  std::vector<Team> found;
  {
    auto q = db.query("SELECT " OUTLAST_TEAM_COLUMNS " FROM team WHERE name = ? ORDER BY id DESC LIMIT 6");
    q.bind(which);
    while (q.step()) found.push_back(read_team(q));
  }
  if (!found.empty()) return only_one(which, std::move(found));
  if (!which.empty()) {
    auto q = db.query("SELECT " OUTLAST_TEAM_COLUMNS " FROM team WHERE team_id >= ? AND team_id < ? ORDER BY team_id LIMIT 6");
    const auto end = which + "\x7F";  // above all digits
    q.bind(which).bind(end);
    while (q.step()) found.push_back(read_team(q));
  }
  if (!found.empty()) return only_one(which, std::move(found));
  return base::fail(base::Errc::not_found, "No team found matching '" + which + "'");
}

std::vector<Team> select_teams(Database& db) {
  auto q = db.query("SELECT " OUTLAST_TEAM_COLUMNS " FROM team ORDER BY id DESC LIMIT ?");
  q.bind(limits::kTeamsListedMax);
  std::vector<Team> teams;
  while (q.step()) teams.push_back(read_team(q));
  return teams;
}

std::vector<TeamMail> select_mails(Database& db, TeamNumber team) {
  // A member's readings follow each other, so one place in each list is enough while the messages go by.
  struct Readings {
    std::vector<Reading> list;
    std::size_t next = 0;
  };
  std::map<std::string, Readings> readers;
  {
    auto q = db.query("SELECT member, after, through, at_ms FROM team_read WHERE team = ? ORDER BY member, through");
    q.bind(team);
    while (q.step()) readers[q.text(0)].list.push_back({q.integer(1), q.integer(2), q.integer(3)});
  }
  std::vector<TeamMail> mails;
  auto q = db.query("SELECT " OUTLAST_MAIL_COLUMNS " FROM team_message WHERE team = ? ORDER BY id");
  q.bind(team);
  while (q.step()) {
    auto mail = read_mail(q);
    for (auto& [member, readings] : readers) {
      auto& [list, next] = readings;
      while (next < list.size() && list[next].through < mail.number) ++next;
      const bool is_for = mail.to_everybody() || std::ranges::find(mail.to, member) != mail.to.end();
      if (is_for && next < list.size() && list[next].after < mail.number) mail.read_by.push_back({member, list[next].at_ms});
    }
    std::ranges::sort(mail.read_by, {}, [](const run::MailRead& r) { return std::pair(r.at_ms, std::string_view(r.member)); });
    mails.push_back(std::move(mail));
  }
  return mails;
}

}  // namespace store::sqlite
