#include "cli/team.h"

#include <algorithm>

#include "base/ids.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/request_parts.h"
#include "cli/store_command.h"
#include "engine/team_files.h"

namespace cli {

namespace json = boost::json;

namespace {

constexpr int kIdDigits = 12, kKeyDigits = 32;
constexpr std::size_t kNameColumns = 20;
constexpr std::size_t kRuleColumns = 60;
constexpr std::size_t kStampBytes = 19;  // 2026-04-20T14:03:08
constexpr std::string_view kSender = "_cli";

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (const auto part : base::split(text, ',')) words.emplace_back(part);
  return words;
}

// The text as it is, or as a terminal can bear it.
std::string safe(std::string_view text) { return out_is_terminal() ? harmless(text) : std::string(text); }

// "[2026-04-20T14:03:08] a op=o1 → b"
std::string heading(const run::TeamMail& mail) {
  const auto op = mail.from_op.empty() ? "" : " op=" + mail.from_op;
  return "[" + base::iso_utc(mail.at_ms).substr(0, kStampBytes) + "] " + mail.from + op + " → " +
         (mail.to_everybody() ? "all" : joined(mail.to));
}

// Each line indented, so that no text looks like another message.
std::string indented(std::string_view text, std::string_view by) {
  std::string out;
  for (const auto line : base::split(text, '\n')) out += std::string(line.empty() ? "" : by) + std::string(line) + "\n";
  return out;
}

// One process' hold on teams: the store's, and their files.
struct Teams {
  explicit Teams(Process& p)
      : process(p), store(*p.store), blocking(1), files(store, p.time, blocking, teams_directory(p.settings)) {}

  aio::Task<Checked<store::Team>> find(std::string which) {
    auto team = co_await store.find_team(std::move(which));
    if (team) co_return *std::move(team);
    if (team.error().code == base::Errc::not_found) co_return refuse(kFailed, team.error().message);
    co_return refuse(team.error());
  }

  // What is done is durable: a file that cannot be written is only said.
  aio::Task<> show(store::Team team) {
    const auto shown = co_await files.refresh(std::move(team));
    if (!shown) warn("the team's file is not up to date: " + shown.error().message);
  }

  std::string new_key() { return "cli/" + base::hex(process.random, kKeyDigits); }

  Process& process;
  store::Store& store;
  aio::Offload blocking;
  engine::TeamFiles files;
};

json::object listed(const store::Team& team) {
  auto o = engine::team_json(team, {});
  o.erase("messages");
  o["message_count"] = team.message_count;
  return o;
}

json::object named(const store::Team& team) { return {{"team_id", team.team_id}, {"team", team.name}}; }

aio::Task<int> create(Process& process, store::Team wanted, bool json) {
  Teams teams(process);
  for (;;) {
    wanted.team_id = base::hex(process.random, kIdDigits);
    const auto team = co_await teams.store.create_team(wanted);
    if (!team) continue;  // the id is taken
    co_await teams.show(*team);
    const auto path = teams.files.path_of(*team);
    if (json) {
      auto o = listed(*team);
      o["file"] = path;
      put_line(base::to_text(o));
    } else {
      put_line(safe("Created team '" + team->name + "' (" + team->team_id + ")\n  Members: " + joined(team->members) +
                    "\n  File: " + path));
    }
    co_return kOk;
  }
}

aio::Task<int> list(Process& process, bool json) {
  const auto teams = co_await process.store->list_teams();
  std::string out;
  if (json) {
    for (const auto& team : teams) out += (out.empty() ? "" : ",\n ") + base::to_text(listed(team));
    put_line("[" + out + "]");
    co_return kOk;
  }
  for (const auto& team : teams)
    out += "  " + team.team_id + "  " + padded(team.name, kNameColumns) + "  [" + joined(team.members) + "]  " +
           std::to_string(team.message_count) + " msgs\n";
  put(out.empty() ? "No teams.\n" : safe(out));
  co_return kOk;
}

aio::Task<int> show(Process& process, const TeamShowOptions& options) {
  Teams teams(process);
  const auto team = co_await teams.find(options.team);
  if (!team) co_return complain(team.error());
  const auto mails = co_await teams.store.team_mail(team->number);
  const auto whole = engine::team_json(*team, mails);
  if (options.json) {
    put_line(base::to_text(whole));
    co_return kOk;
  }
  std::string out = "Team: " + team->name + " (" + team->team_id + ")\nCreated: " + base::text_or_empty(whole, "created_at") +
                    "\nMembers: " + joined(team->members) + "\n\n";
  for (std::size_t i = 0; i < kRuleColumns; ++i) out += "─";
  out += "\n";
  for (const auto& mail : mails) {
    std::vector<std::string> readers;
    for (const auto& read : mail.read_by) readers.push_back(read.member);
    out += "  " + heading(mail) + (readers.empty() ? "" : "  (read by: " + joined(readers) + ")") + "\n" +
           indented(mail.content, "    ");
  }
  put(safe(out));
  co_return kOk;
}

aio::Task<int> send(Process& process, run::TeamMail mail, const TeamSendOptions& options) {
  Teams teams(process);
  const auto team = co_await teams.find(options.team);
  if (!team) co_return complain(team.error());
  auto strangers = run::outsiders(mail.to, team->members);
  if (options.from && !run::outsiders({mail.from}, team->members).empty() &&
      std::ranges::find(strangers, mail.from) == strangers.end())
    strangers.push_back(mail.from);
  for (const auto& name : strangers) warn("'" + name + "' is not a team member");
  const auto sent = co_await teams.store.send_mail(team->number, std::move(mail), teams.new_key());
  if (!sent) co_return complain(sent.error());
  co_await teams.show(*team);
  if (options.json) {
    auto o = named(*team);
    o["message"] = engine::mail_json(*sent);
    put_line(base::to_text(o));
  } else {
    put_line(safe("Sent to " + (sent->to_everybody() ? "all" : joined(sent->to)) + " in '" + team->name + "'"));
  }
  co_return kOk;
}

void print_mails(const std::vector<run::TeamMail>& mails, std::string_view none) {
  if (mails.empty()) return put_line(none);
  std::string out;
  for (const auto& mail : mails) out += heading(mail) + "\n" + indented(mail.content, "  ") + "\n";
  put(safe(out) + "(" + std::to_string(mails.size()) + (mails.size() == 1 ? " message)\n" : " messages)\n"));
}

aio::Task<int> receive(Process& process, std::optional<std::string> as, const TeamReceiveOptions& options) {
  Teams teams(process);
  const auto team = co_await teams.find(options.team);
  if (!team) co_return complain(team.error());
  std::vector<run::TeamMail> mails;
  if (as) {
    if (!run::outsiders({*as}, team->members).empty()) warn("'" + *as + "' is not a member of '" + team->name + "'");
    auto taken = co_await teams.store.receive_mail(team->number, *as, {}, teams.new_key());
    if (!taken) co_return complain(taken.error());
    mails = std::move(taken->mails);
    // Also where nothing was new: what a sender that was killed could not show is shown now.
    co_await teams.show(*team);
  } else {
    mails = co_await teams.store.team_mail(team->number);
  }
  if (!options.json) {
    print_mails(mails, as ? "No new messages." : "No messages.");
    co_return kOk;
  }
  auto o = named(*team);
  o["as"] = as ? json::value(*as) : json::value();
  json::array messages;
  for (const auto& mail : mails) {
    auto message = engine::mail_json(mail);
    if (as) message.erase("read_by");  // a look of its own is not asked who else has read it
    messages.push_back(std::move(message));
  }
  o["messages"] = std::move(messages);
  put_line(base::to_text(o));
  co_return kOk;
}

}  // namespace

int run_team_create(const TeamCreateOptions& options) {
  if (base::trim(options.members).find_first_not_of(", ") == std::string_view::npos)
    return complain(kFailed, "--members requires at least one name");
  auto name = run::team_name(options.name);
  if (!name) return complain(name.error());
  auto members = run::member_names(words_of(options.members));
  if (!members) return complain(kUsage, "--members: " + members.error().message);
  store::Team team{.name = *std::move(name), .members = *std::move(members)};
  return with_store([&](Process& process) { return create(process, team, options.json); });
}

int run_team_list(bool json) {
  return with_store([json](Process& process) { return list(process, json); });
}

int run_team_show(const TeamShowOptions& options) {
  return with_store([&options](Process& process) { return show(process, options); });
}

int run_team_send(const TeamSendOptions& options) {
  auto to = run::recipients(words_of(options.to));
  if (!to) return complain(kUsage, "--to: " + to.error().message);
  run::TeamMail mail{.from = std::string(kSender), .to = *std::move(to), .from_op = options.from_op};
  if (options.from) {
    auto from = run::member_name(*options.from);
    if (!from) return complain(kUsage, "--from: " + from.error().message);
    mail.from = *std::move(from);
  }
  auto text = read_text(options.text, "message");
  if (!text) return complain(text.error());
  mail.content = *std::move(text);
  if (const auto good = run::check_mail(mail); !good) return complain(good.error());
  return with_store([&](Process& process) { return send(process, mail, options); });
}

int run_team_receive(const TeamReceiveOptions& options) {
  std::optional<std::string> as;
  if (options.as) {
    auto name = run::member_name(*options.as);
    if (!name) return complain(kUsage, "--as: " + name.error().message);
    as = *std::move(name);
  }
  return with_store([&](Process& process) { return receive(process, as, options); });
}

}  // namespace cli
