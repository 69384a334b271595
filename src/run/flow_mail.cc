#include "run/flow_mail.h"

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"

namespace run {

namespace {

constexpr std::string_view kPrefix = "@mail";
constexpr std::size_t kLetterBytesMax = 16 << 10, kAnswerBytesMax = 1 << 10;

std::int64_t rounds_of(const FlowPlan& plan) {
  std::int64_t rounds = 0;
  for (const auto& op : plan.operations) rounds = std::max(rounds, mail_round_of(op.id));
  return rounds;
}

// It has worked, and all of its operations are done: one that has failed would fail again.
bool is_idle(const FlowState& state, const std::string& agent) {
  bool worked = false;
  for (const auto& op : state.plan.operations) {
    if (op.agent_id != agent) continue;
    const auto* known = find_op(state, op.id);
    if (!known || known->phase != OpPhase::done) return false;
    worked = true;
  }
  return worked;
}

std::string instruction_of(const std::vector<std::string>& senders) {
  std::string names;
  for (std::size_t i = 0; i < std::min(senders.size(), kMailSendersMax); ++i) names += (i ? ", " : "") + senders[i];
  if (senders.size() > kMailSendersMax) names += " and others";
  return "Your operations are done, and mail has come for you, from " + names +
         ". It stands above. Do what it asks where that is yours to do, and answer with team_send where somebody needs an answer. "
         "What you say here is told to the whole team: say what has changed, in a sentence where that is enough.";
}

bool is_answer(const TeamMail& mail) { return mail.kind == kAnswerMail && !mail.from_op.empty(); }

}  // namespace

std::string mail_op(std::int64_t round, std::string_view agent) {
  return std::string(kPrefix) + std::to_string(round) + "-" + std::string(agent);
}

bool is_mail_op(std::string_view op) { return op.starts_with(kPrefix); }

bool is_mail_round(const FlowPlan& plan) { return !plan.operations.empty() && is_mail_op(plan.operations.front().id); }

std::int64_t mail_round_of(std::string_view op) {
  if (!is_mail_op(op)) return 0;
  op.remove_prefix(kPrefix.size());
  return base::parse_int(op.substr(0, op.find('-'))).value_or(0);
}

FlowPlan without_mail(FlowPlan plan) {
  std::erase_if(plan.operations, [](const FlowOp& op) { return is_mail_op(op.id); });
  return plan;
}

// Those that have begun the synthesis are past it: what it says must not be older than what it tells of.
bool may_wake(const FlowState& state) { return !find_op(state, kSynthesisOp) && rounds_of(state.plan) < kMailRoundsMax; }

FlowPlanned mail_round(const FlowState& state, const UnreadMail& unread) {
  FlowPlanned planned{.round = std::ssize(state.rounds), .plan = {}};
  const auto number = rounds_of(state.plan) + 1;
  for (const auto& agent : state.plan.agents) {
    const auto mail = unread.find(agent.id);
    if (mail == unread.end() || mail->second.empty() || !is_idle(state, agent.id)) continue;
    planned.plan.operations.push_back({.id = mail_op(number, agent.id), .agent_id = agent.id, .instruction = instruction_of(mail->second)});
  }
  return planned;
}

std::vector<std::string> senders_to(const std::string& member, const std::vector<TeamMail>& mails, std::int64_t since_ms) {
  std::vector<std::string> senders;
  for (const auto& mail : mails) {
    if (mail.from == member || mail.at_ms < since_ms || is_answer(mail)) continue;
    const bool is_for = mail.to_everybody() || std::ranges::find(mail.to, member) != mail.to.end();
    if (!is_for || std::ranges::find(mail.read_by, member, &MailRead::member) != mail.read_by.end()) continue;
    if (std::ranges::find(senders, mail.from) == senders.end()) senders.push_back(mail.from);
  }
  return senders;
}

std::string mail_text(const std::vector<TeamMail>& mails) {
  std::string text;
  std::size_t told = 0;
  for (const auto& mail : mails) {
    if (text.size() > kMailTextBytesMax) break;
    ++told;
    const auto content = base::utf8_prefix(mail.content, is_answer(mail) ? kAnswerBytesMax : kLetterBytesMax);
    text += "## From " + mail.from + (mail.to_everybody() ? ", to all" : "") + (mail.from_op.empty() ? "" : ", of " + mail.from_op) + ", " +
            base::iso_utc(mail.at_ms) + "\n" + std::string(content) +
            (content.size() < mail.content.size() ? "\n[" + std::to_string(mail.content.size() - content.size()) + " more bytes]" : "") + "\n\n";
  }
  if (told < mails.size()) text += "[" + std::to_string(mails.size() - told) + " more: `outlast team show TEAM` has them]\n\n";
  return text.empty() ? text : "# Your mail\n" + text;
}

}  // namespace run
