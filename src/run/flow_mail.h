#pragma once
// Members of a flow's team that have mail when their work is done: each gets one more operation, a round of mail. Pure.
#include <string>
#include <vector>

#include "run/flow.h"
#include "run/team_mail.h"

namespace run {

// "@mail1-r1": the first round's, of agent r1. No plan can name them, '@' is in no id.
std::string mail_op(std::int64_t round, std::string_view agent);
bool is_mail_op(std::string_view op);
// Whether this is a round of mail, and not one that the orchestrator has planned.
bool is_mail_round(const FlowPlan& plan);
std::int64_t mail_round_of(std::string_view op);

// What the orchestrator has planned: without operations that were added for mail.
FlowPlan without_mail(FlowPlan plan);

// Whether a further round is possible. Letters about letters end: kMailRoundsMax in all, however often the flow is resumed.
bool may_wake(const FlowState& state);
// The round that wakes those of `unread` whose operations are done; one without operations wakes nobody.
FlowPlanned mail_round(const FlowState& state, const UnreadMail& unread);

// From whom this member has unread mail that is worth a turn; each once. What operations have answered, sent by the flow itself,
// is not.
std::vector<std::string> senders_to(const std::string& member, const std::vector<TeamMail>& mails, std::int64_t since_ms);

// What a woken agent is told, before its instruction.
std::string mail_text(const std::vector<TeamMail>& mails);

inline constexpr std::string_view kAnswerMail = "done";  // the kind of mail by which the flow tells of an operation's answer
inline constexpr std::int64_t kMailRoundsMax = 3;
inline constexpr std::size_t kMailTextBytesMax = 128 << 10;  // of one turn
inline constexpr std::size_t kMailSendersMax = 20;           // named in an instruction

}  // namespace run
