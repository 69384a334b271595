#pragma once
// The mail of a flow whose agents write to each other: its team, and every operation's answer told to all.
#include <set>
#include <string>

#include "engine/deps.h"
#include "run/flow.h"

namespace engine {

// Makes the team when the plan holds, and sends what has been done; each answer once, whoever tells it again. `told`: operations of
// which this process knows that they are sent. What cannot be sent is logged; the flow goes on without.
aio::Task<> tell_team(Deps& deps, const store::Run& flow, const run::Spec& spec, const run::FlowState& state, std::set<std::string>& told);

// A worker's seat, its tools, and what it is told of the others.
void seat_worker(run::Spec& worker, const run::Spec& flow, const run::FlowState& state, const run::FlowAgent& agent);

// Who has mail that is worth a turn, by agent.
aio::Task<run::UnreadMail> unread_mail(Deps& deps, const run::Spec& spec, const run::FlowState& state);

// Reads a woken agent's mail for it and puts it before its instruction. Read once more, for a further attempt or after a crash, the
// mail is the same: it is known by the operation.
aio::Task<> give_mail(Deps& deps, const store::Run& flow, const run::Spec& spec, const run::FlowAgent& agent, const std::string& op, run::Spec& worker);

}  // namespace engine
