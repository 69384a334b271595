#include "tool/team_tools.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "tool/function_tool.h"
#include "tool/team_mail.h"

namespace tool {

namespace json = boost::json;
namespace limits = base::limits;

namespace {

using Answer = base::Result<json::object>;

constexpr std::size_t kAnswerBytesMax = limits::kToolResultBytesMax - 1'024;  // as JSON
constexpr std::string_view kNoMail = "no team can be reached here";

constexpr std::string_view kSend = R"({
  "type": "object",
  "properties": {
    "to": {"type": ["string", "array"], "items": {"type": "string"}, "description": "\"all\", or the names of members."},
    "content": {"type": "string", "minLength": 1, "description": "The message, understandable by itself."}
  },
  "required": ["to", "content"],
  "additionalProperties": false
})";
constexpr std::string_view kReceive = R"({"type": "object", "properties": {}, "additionalProperties": false})";

// A list, one name, or names with commas between.
std::vector<std::string> words_of(const json::object& arguments, std::string_view key) {
  std::vector<std::string> words;
  if (const auto text = base::string_field(arguments, key))
    for (const auto part : base::split(*text, ',')) words.emplace_back(part);
  if (const auto* list = base::array_field(arguments, key))
    for (const auto& item : *list)
      if (item.is_string()) words.emplace_back(item.get_string());
  return words;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

aio::Task<Answer> send(json::object arguments, const Context& caller) {
  auto to = run::recipients(words_of(arguments, "to"));
  if (!to) co_return base::fail(to.error().code, "'to': " + to.error().message);
  auto content = base::text_or_empty(arguments, "content");
  if (const auto good = run::check_mail({.content = content}); !good) co_return std::unexpected(good.error());
  const auto sent = co_await caller.team_mail->send(caller, *to, std::move(content));
  if (!sent) co_return std::unexpected(sent.error());
  json::object out{{"sent", true}, {"id", sent->mail_id}};
  if (!sent->outsiders.empty())
    out["warning"] = "not members of the team: " + listed(sent->outsiders) + "; its members are " + listed(sent->members);
  co_return out;
}

json::object shown(const run::TeamMail& mail, const std::string& reader, std::size_t bytes_max) {
  const auto content = base::utf8_prefix(mail.content, bytes_max);
  json::object out{{"from", mail.from}, {"to", mail.to_everybody() ? "all" : reader}, {"at", base::iso_utc(mail.at_ms)}};
  if (!mail.from_op.empty()) out["from_op"] = mail.from_op;
  if (!mail.kind.empty()) out["kind"] = mail.kind;
  out["content"] = content;
  if (content.size() < mail.content.size()) out["bytes_left_out"] = mail.content.size() - content.size();
  return out;
}

aio::Task<Answer> receive(json::object, const Context& caller) {
  const auto received = co_await caller.team_mail->receive(caller);
  if (!received) co_return std::unexpected(received.error());
  // All of it is marked as read, so all of it is shown; what is escaped so much that it does not fit loses its tail, and says so.
  for (auto bytes_max = limits::kTeamReceivedBytesMax;; bytes_max /= 2) {
    json::array messages;
    for (const auto& mail : received->mails) messages.push_back(shown(mail, received->member, bytes_max));
    json::object out{{"messages", std::move(messages)}};
    if (received->more) out["more"] = "there are further messages; call team_receive again";
    if (bytes_max == 0 || base::to_text(out).size() <= kAnswerBytesMax) co_return out;
  }
}

std::string_view refusal(const Context& caller) { return caller.team_mail ? std::string_view() : kNoMail; }

// "send" alone would be too common a word, so the whole name is the action. Made again after a crash, a call is known by its id: it
// sends nothing twice, and gets the same messages.
std::unique_ptr<Tool> team_tool(std::string name, std::string description, std::string_view schema, std::vector<std::string> aliases,
                                FunctionTool::Perform perform) {
  return function_tool({.name = std::move(name),
                        .module = "team",
                        .description = std::move(description),
                        .schema = schema,
                        .aliases = std::move(aliases),
                        .refusal = refusal,
                        .perform = perform});
}

}  // namespace

std::vector<std::unique_ptr<Tool>> team_tools() {
  std::vector<std::unique_ptr<Tool>> tools;
  tools.push_back(team_tool("team_send",
                            "Sends a message to members of your team. They read it when they next look; nobody is interrupted.",
                            kSend, {"team.send"}, send));
  tools.push_back(team_tool("team_receive",
                            "Returns the messages of your team that you have not read yet, and marks them as read.", kReceive,
                            {"team.receive"}, receive));
  return tools;
}

}  // namespace tool
