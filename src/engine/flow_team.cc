#include "engine/flow_team.h"

#include "base/log.h"
#include "engine/team_files.h"
#include "run/flow_mail.h"

namespace engine {

namespace {

constexpr std::string_view kOrchestrator = "orchestrator";
constexpr std::size_t kMailReadBytesMax = 4 << 20;  // in one turn; what is beyond stays unread

std::vector<std::string> members_of(const run::FlowState& state) {
  std::vector<std::string> members{std::string(kOrchestrator)};
  for (const auto& agent : state.plan.agents) members.push_back(agent.name);
  return members;
}

aio::Task<bool> send(Deps& deps, const store::Team& team, const store::Run& flow, std::string from, std::string op, std::string content) {
  run::TeamMail mail{.from = std::move(from), .to = {std::string(run::kEverybody)}, .content = std::move(content), .from_op = op, .kind = std::string(run::kAnswerMail)};
  const auto sent = co_await deps.store.send_mail(team.number, std::move(mail), "flow\x1f" + flow.run_id + "\x1f" + op);
  if (!sent) base::log::warning("an operation's result was not sent to its team", {{"run", flow.run_id}, {"op", op}, {"reason", sent.error().message}});
  co_return sent.has_value();
}

}  // namespace

aio::Task<> tell_team(Deps& deps, const store::Run& flow, const run::Spec& spec, const run::FlowState& state, std::set<std::string>& told) {
  store::Team wanted;
  wanted.team_id = spec.flow->team;
  wanted.name = spec.flow->team_name;
  wanted.members = members_of(state);
  wanted.created_ms = state.rounds.front().planned_ms;
  auto team = co_await deps.store.find_team(spec.flow->team);
  if (!team) team = co_await deps.store.create_team(std::move(wanted));
  if (!team) {
    base::log::warning("the flow's team cannot be made", {{"run", flow.run_id}, {"reason", team.error().message}});
    co_return;
  }
  for (const auto& op : state.plan.operations) {
    const auto* known = run::find_op(state, op.id);
    const auto* agent = run::find_agent(state.plan, op.agent_id);
    if (known && agent && known->phase == run::OpPhase::done && told.insert(op.id).second)
      co_await send(deps, *team, flow, agent->name, op.id, known->content);
  }
  if (const auto* synthesis = run::find_op(state, run::kSynthesisOp); synthesis && synthesis->phase == run::OpPhase::done && told.insert("synthesis").second)
    co_await send(deps, *team, flow, std::string(kOrchestrator), "synthesis", "[SYNTHESIS]\n" + synthesis->content);
  if (deps.team_files) co_await deps.team_files->refresh(*team);
}

void seat_worker(run::Spec& worker, const run::Spec& flow, const run::FlowState& state, const run::FlowAgent& agent) {
  worker.seat = run::TeamSeat{flow.flow->team, agent.name};
  for (const auto* tool : {"team_send", "team_receive"})
    if (!run::find_grant(worker.tools, tool)) worker.tools.push_back({.name = tool});
  std::string text = worker.system_prompt.empty() ? "" : worker.system_prompt + "\n\n";
  text += "You are '" + agent.name + "' of team '" + flow.flow->team_name + "'. The others:";
  for (const auto& other : state.plan.agents)
    if (other.id != agent.id) text += "\n- " + other.name + " (" + other.role + ")";
  text += "\nRead your mail with team_receive when you begin; tell the others with team_send what they must know; who has nothing left to do is given it in a further turn at the end. By command: `outlast team receive -t " + flow.flow->team +
          " --as " + agent.name + "`, `outlast team send \"...\" -t " + flow.flow->team + " --to all --from " + agent.name + " --from-op OP`.";
  worker.system_prompt = std::move(text);
}

aio::Task<run::UnreadMail> unread_mail(Deps& deps, const run::Spec& spec, const run::FlowState& state) {
  run::UnreadMail unread;
  const auto team = co_await deps.store.find_team(spec.flow->team);
  if (!team) co_return unread;
  const auto mails = co_await deps.store.team_mail(team->number);
  // What a team that was there before had written before is not for those who have joined it since.
  const auto since_ms = spec.flow->team_attached ? state.rounds.front().planned_ms : 0;
  for (const auto& agent : state.plan.agents)
    if (auto senders = run::senders_to(agent.name, mails, since_ms); !senders.empty()) unread[agent.id] = std::move(senders);
  co_return unread;
}

aio::Task<> give_mail(Deps& deps, const store::Run& flow, const run::Spec& spec, const run::FlowAgent& agent, const std::string& op, run::Spec& worker) {
  const auto team = co_await deps.store.find_team(spec.flow->team);
  if (!team) co_return;
  // The session, not the run: a flow that resumes this one does the same operation.
  const auto key = "flow\x1f" + flow.session_id + "\x1f" + op;
  const auto taken = co_await deps.store.receive_mail(team->number, agent.name, {.messages_max = SIZE_MAX, .bytes_max = kMailReadBytesMax}, key);
  if (!taken) {
    base::log::warning("an agent's mail cannot be read", {{"run", flow.run_id}, {"op", op}, {"reason", taken.error().message}});
    co_return;
  }
  worker.input = run::mail_text(taken->mails) + worker.input;
  if (deps.team_files) co_await deps.team_files->refresh(*team);
}

}  // namespace engine
