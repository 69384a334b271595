#include "sim/script.h"

#include "base/text.h"

namespace sim {

namespace {

constexpr std::string_view kMark = "plan ";

struct Position {
  std::uint64_t plan = 0;
  std::size_t turn = 0;  // model messages since the input
};

Position position_of(const std::vector<run::Message>& messages) {
  Position position;
  for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
    if (message->role == run::Role::user) {
      position.plan = plan_of(message->text).value_or(0);
      break;
    }
    if (message->role == run::Role::assistant) ++position.turn;
  }
  return position;
}

std::optional<llm::ModelError> bad_day(const Caller& caller) {
  if (caller.calm || !caller.random.chance(80)) return std::nullopt;
  const bool fatal = caller.random.chance(60);
  llm::ModelError error{.code = fatal ? base::Errc::provider_request : base::Errc::provider_failed,
                        .message = "a simulated bad day",
                        .retryable = !fatal,
                        .retry_after_ms = {}};
  if (!fatal && caller.random.chance(200)) error.retry_after_ms = caller.random.between(1, 3'000);
  return error;
}

class SimProvider final : public llm::Provider {
 public:
  explicit SimProvider(Caller caller) : caller_(caller) {}

  aio::Task<std::expected<llm::ModelResult, llm::ModelError>> call(const llm::ModelRequest& request,
                                                                   llm::DeltaSink& sink) override {
    const auto at = position_of(request.messages);
    const auto turns = plan_turns(at.plan);
    if (caller_.life.dead() || at.turn >= turns.size()) co_return std::unexpected(error("nobody is there"));
    ++caller_.trace.counts.model_calls;
    caller_.ledger.model_called(caller_.owner, at.plan, at.turn);
    const auto& turn = turns[at.turn];
    auto bad = bad_day(caller_);
    const auto cut_at = bad ? caller_.random.below(turn.words + turn.thoughts + 1) : -1;
    for (std::int64_t i = 0; i < turn.words + turn.thoughts; ++i) {
      if (i == cut_at) co_return std::unexpected(std::move(*bad));
      if (turn.word_ms) {
        co_await sink.ready();
        co_await caller_.time.sleep(std::chrono::milliseconds(turn.word_ms));
      }
      if (i < turn.thoughts)
        sink.thinking("hm ");
      else
        sink.text(plan_word(at.plan, at.turn, i - turn.thoughts));
    }
    if (bad) co_return std::unexpected(std::move(*bad));
    co_return result(turn);
  }

 private:
  static llm::ModelError error(std::string message) {
    return {.code = base::Errc::provider_request, .message = std::move(message), .retryable = false, .retry_after_ms = {}};
  }

  llm::ModelResult result(const Turn& turn) const {
    llm::ModelResult result;
    for (const auto& name : turn.calls)
      result.tool_calls.push_back({.id = "call-" + std::to_string(caller_.random.next()), .name = name, .arguments = "{}"});
    result.stop = turn.calls.empty() ? llm::StopReason::end : llm::StopReason::tool_calls;
    result.usage.output_tokens = turn.words;
    return result;
  }

  const Caller caller_;
};

class SimTool final : public tool::Tool {
 public:
  SimTool(std::string name, tool::SideEffect effect, Caller caller) : caller_(caller) {
    definition_.name = std::move(name);
    definition_.schema = R"({"type":"object"})";
    definition_.side_effect = effect;
  }
  const tool::Definition& definition() const override { return definition_; }

  aio::Task<tool::Outcome> call(boost::json::object, tool::Context context) override {
    if (caller_.life.dead()) co_return tool::Outcome{.text = "nobody is there", .is_error = true};
    ++caller_.trace.counts.tool_calls;
    caller_.ledger.tool_called(caller_.owner, context.run_id, context.call_id,
                               definition_.side_effect == tool::SideEffect::idempotent);
    auto& random = caller_.random;
    if (random.chance(700))
      co_await caller_.time.sleep(std::chrono::milliseconds(random.between(0, random.chance(100) ? 5'000 : 200)));
    if (!caller_.calm && random.chance(4)) {
      caller_.ledger.excuse(context.run_id);
      throw base::Broken("a simulated broken world");
    }
    co_return tool::Outcome{.text = "done", .is_error = random.chance(100)};
  }

 private:
  const Caller caller_;
  tool::Definition definition_;
};

// A command in the world; this finds it, or starts it.
class SimCommandTool final : public tool::Tool {
 public:
  explicit SimCommandTool(Caller caller) : caller_(caller) {
    definition_.name = "run";
    definition_.schema = R"({"type":"object"})";
    definition_.side_effect = tool::SideEffect::reattachable;
  }
  const tool::Definition& definition() const override { return definition_; }

  aio::Task<tool::Outcome> call(boost::json::object, tool::Context context) override {
    if (caller_.life.dead()) co_return tool::Outcome{.text = "nobody is there", .is_error = true};
    const auto takes_ms = caller_.random.chance(200) ? caller_.random.between(2'000, 20'000) : caller_.random.between(0, 1'000);
    const auto [command, fresh] = caller_.commands.start(context.run_id, context.call_id, context.epoch, takes_ms);
    if (fresh) {
      ++caller_.trace.counts.tool_calls;
      caller_.ledger.tool_called(caller_.owner, context.run_id, context.call_id, false);
    }
    std::exception_ptr cut;
    try {
      while (caller_.commands.lives(*command)) co_await caller_.time.sleep(std::chrono::milliseconds(kLookMs));
    } catch (...) {
      cut = std::current_exception();
    }
    if (cut) {
      const bool leave = caller_.life.dead() || (context.goes_on && context.goes_on());
      if (!leave) caller_.commands.kill(*command, context.epoch);
      std::rethrow_exception(cut);
    }
    if (command->lost) co_return tool::Outcome{.text = "lost", .is_error = true};
    co_return tool::Outcome{.text = command->killed ? "killed" : "done", .is_error = command->killed};
  }

  aio::Task<> end_run(std::string run_id, std::int64_t epoch) override {
    if (!caller_.life.dead()) caller_.commands.kill_all(run_id, epoch);
    co_return;
  }

 private:
  static constexpr std::int64_t kLookMs = 40;
  const Caller caller_;
  tool::Definition definition_;
};

}  // namespace

std::vector<Turn> plan_turns(std::uint64_t plan) {
  Random random(plan);
  static constexpr const char* kTools[] = {"look", "pay", "run", "ask", "nope"};
  std::vector<Turn> turns(static_cast<std::size_t>(random.between(1, 4)));
  for (auto& turn : turns) {
    turn.words = random.chance(150) ? 0 : random.between(1, random.chance(200) ? 30 : 6);
    turn.thoughts = random.chance(150) ? random.between(1, 3) : 0;
    turn.word_ms = random.chance(400) ? 0 : random.between(1, random.chance(150) ? 1'500 : 120);
    if (&turn == &turns.back()) break;
    const auto calls = random.chance(600) ? 1 : random.between(2, 4);
    for (std::int64_t i = 0; i < calls; ++i)
      turn.calls.emplace_back(kTools[random.chance(150) ? random.between(3, 4) : random.between(0, 2)]);
  }
  return turns;
}

std::string plan_input(std::uint64_t plan) { return std::string(kMark) + std::to_string(plan); }

std::optional<std::uint64_t> plan_of(std::string_view text) {
  const auto at = text.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + kMark.size());
  const auto number = base::parse_int(text.substr(0, text.find_first_not_of("0123456789")));
  if (!number) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::string plan_word(std::uint64_t plan, std::size_t turn, std::int64_t index) {
  return std::to_string(plan % 1000) + "." + std::to_string(turn) + "." + std::to_string(index) + " ";
}

std::string plan_text(std::uint64_t plan, std::size_t turns) {
  std::string text;
  const auto all = plan_turns(plan);
  for (std::size_t turn = 0; turn < std::min(turns, all.size()); ++turn)
    for (std::int64_t i = 0; i < all[turn].words; ++i) text += plan_word(plan, turn, i);
  return text;
}

std::shared_ptr<llm::Provider> make_provider(Caller caller) { return std::make_shared<SimProvider>(caller); }

std::vector<std::unique_ptr<tool::Tool>> make_tools(const Caller& caller) {
  std::vector<std::unique_ptr<tool::Tool>> tools;
  tools.push_back(std::make_unique<SimTool>("look", tool::SideEffect::idempotent, caller));
  tools.push_back(std::make_unique<SimTool>("pay", tool::SideEffect::at_most_once, caller));
  tools.push_back(std::make_unique<SimTool>("ask", tool::SideEffect::at_most_once, caller));
  tools.push_back(std::make_unique<SimCommandTool>(caller));
  return tools;
}

}  // namespace sim
