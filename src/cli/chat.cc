#include "cli/chat.h"

#include <unistd.h>

#include <csignal>
#include <set>

#include "aio/task_group.h"
#include "base/text.h"
#include "cli/chat_lists.h"
#include "cli/decision.h"
#include "cli/follow.h"
#include "cli/launcher.h"
#include "cli/line_input.h"
#include "cli/signals.h"
#include "cli/store_command.h"
#include "run/question.h"

namespace cli {

namespace {

constexpr std::int64_t kLookMs = 500;  // for what happens in the session while nobody writes

constexpr std::string_view kHelp =
    "Write a message; the agent answers. Lines that begin with / are for this program:\n"
    "  /tasks   what runs in the background\n"
    "  /cancel  ends the answer under way (Ctrl-C does too)\n"
    "  /quit    leaves (Ctrl-D does too); background tasks go on, the session can be continued\n"
    "  //text   sends \"/text\"";

// One conversation. Io thread.
class Chat {
 public:
  Chat(Process& process, const ChatOptions& options, app::App app, SessionOf session)
      : process_(process),
        options_(options),
        app_(std::move(app)),
        session_(std::move(session)),
        by_hand_(isatty(STDIN_FILENO)),
        input_(process.io),
        tasks_(process.io, [](const std::string& name, const std::string& what) { warn(name + ": " + what); }) {}

  aio::Task<int> talk() {
    const Signals signals(process_.io, [this](int signal) { interrupted(signal); });
    tasks_.spawn("input", input_.run());
    tasks_.spawn("commands", hear_commands());
    std::exception_ptr broken;
    try {
      co_await converse();
    } catch (...) {
      broken = std::current_exception();
    }
    tasks_.close();
    tasks_.cancel();
    co_await tasks_.join();
    if (broken) std::rethrow_exception(broken);
    say_goodbye();
    if (leaving_) co_return leaving_ == SIGTERM ? kTerminated : kInterrupted;
    co_return by_hand_ ? kOk : code_;
  }

 private:
  aio::Task<> converse() {
    if (by_hand_) note(greeting());
    if (session_.last) seen_ = session_.last->number;
    if (session_.live) co_await answer(*session_.live, session_.live->event_count);
    while (co_await next_line()) {
      const auto line = input_.take();
      interrupts_ = 0;
      if (line.starts_with('/') && !line.starts_with("//")) {
        if (!co_await command(std::string(base::trim(line)))) co_return;
      } else if (!base::trim(line).empty()) {
        co_await send(line.starts_with("//") ? line.substr(1) : line);
      }
    }
  }

  std::string greeting() const {
    auto text = (app_.name.empty() ? options_.app.file : app_.name) + ": /help says what can be done, Ctrl-D leaves";
    return session_.last ? text + ". Going on with session " + session_.id : text;
  }

  // Waits for a line, and tells meanwhile what happens in the session. False: there is none any more.
  aio::Task<bool> next_line() {
    prompted_ = false;
    for (;;) {
      if (!leaving_ && !session_.id.empty() && !input_.front()) co_await look();
      if (leaving_ || input_.at_end()) co_return false;
      if (input_.front()) co_return true;
      if (by_hand_ && out_is_terminal() && !std::exchange(prompted_, true)) put("> ");
      co_await aio::wait_for(process_.time, input_.changed(), std::chrono::milliseconds(kLookMs));
    }
  }

  // What came by itself: notices of tasks, and turns that somebody else began (a server wakes the session for a notice).
  aio::Task<> look() {
    const auto news = co_await news_of_tasks(process_, session_.id, told_);
    auto others = co_await runs_after(process_, session_.id, seen_);
    if (news.empty() && others.empty()) co_return;
    if (std::exchange(prompted_, false)) put("\n");
    for (const auto& line : news) note(line);
    co_await show_others(std::move(others));
  }

  aio::Task<> show_others(std::vector<store::Run> runs) {
    for (const auto& run : runs) {
      note("[the session goes on by itself]");
      co_await answer(run, 0);
    }
  }

  // False: leave.
  aio::Task<bool> command(std::string word) {
    if (word == "/quit" || word == "/exit") co_return false;
    if (word == "/help")
      note(kHelp);
    else if (word == "/tasks")
      co_await show_tasks(process_, session_.id);
    else if (word == "/cancel")
      note("no answer is under way");
    else
      note("unknown command " + one_line(word, 40) + "; /help lists them, //... sends a message that begins with /");
    co_return true;
  }

  aio::Task<> send(std::string message) {
    // A turn that began by itself while the message was written comes first: a session has one live run.
    if (!session_.id.empty()) {
      auto others = co_await runs_after(process_, session_.id, seen_);
      co_await show_others(std::move(others));
    }
    auto request = app_request(process_, app_, options_.app, std::move(message), session_);
    if (!request) co_return failed(complain(request.error()));
    auto launched = co_await launch_detached(process_, std::move(*request), {"outlast", "chat", options_.app.file});
    if (!launched) co_return failed(complain(launched.error()));
    session_.id = launched->run.session_id;
    co_await answer(launched->run, 0);
  }

  // Shows a run to its end, with the decisions that it asks for.
  aio::Task<> answer(store::Run run, std::uint64_t from) {
    const auto run_id = run.run_id;
    seen_ = std::max(seen_, run.number);
    answering_ = run_id;
    for (bool again = true; again;) {
      FollowOptions follow;
      follow.from = from;
      follow.verbose = options_.verbose;
      follow.interrupt = FollowOptions::Interrupt::cancels;
      follow.hints = false;
      following_ = true;
      const auto ended_with = co_await follow_run(process_, run, std::move(follow));
      following_ = false;
      auto now = co_await present(process_, run_id);
      again = false;
      if (!now) break;
      if (now->status == run::Status::paused && !leaving_) {
        from = now->event_count;
        // What a person wrote before the question is no answer to it.
        auto earlier = by_hand_ ? input_.set_aside() : std::deque<std::string>();
        again = co_await ask(*now);
        input_.put_back(std::move(earlier));
        now = co_await present(process_, run_id);
        if (!now) break;
      } else if (now->status == run::Status::cancelled) {
        note("[cancelled]");
      } else if (ended_with != kOk) {
        failed(ended_with);
      }
      run = *now;
      session_.last = std::move(*now);
    }
    answering_.clear();
    session_.live.reset();
  }

  // The decisions that a paused run waits for. False: it stays paused.
  aio::Task<bool> ask(store::Run run) {
    const auto calls = co_await waiting_calls(process_, run);
    if (!calls) {
      failed(complain(calls.error()));
      co_return false;
    }
    std::vector<run::Decision> decisions;
    for (const auto& call : *calls) {
      std::optional<run::Decision> decision;
      if (run::asks_a_person(call.name))
        decision = co_await ask_question(call);
      else
        decision = co_await ask_for(call.id, call.name + " " + one_line(call.arguments, 200));
      if (!decision) co_return stays_paused(run);
      decisions.push_back(std::move(*decision));
    }
    if (calls->empty()) {
      const auto decision = co_await ask_for("", "the run was parked after its process had died several times");
      if (!decision || !decision->approved) co_return stays_paused(run);
    }
    auto decided = co_await decide(process_, run, std::move(decisions));
    if (decided) decided = co_await see_executed(process_, run);
    if (!decided) failed(complain(decided.error()));
    co_return decided.has_value();
  }

  // y, n, or why not; nothing at the end of input.
  aio::Task<std::optional<run::Decision>> ask_for(std::string call_id, std::string what) {
    note("‖ " + harmless(what));
    for (;;) {
      if (by_hand_) note("  allow it? y, n, or what the agent is told instead");
      while (!input_.front() && !input_.at_end() && !leaving_) co_await input_.changed().wait();
      if (leaving_ || input_.at_end()) co_return std::nullopt;
      const auto word = std::string(base::trim(input_.take()));
      if (word.empty()) continue;
      const auto lower = base::to_lower(word);
      const bool yes = lower == "y" || lower == "yes", no = lower == "n" || lower == "no";
      co_return run::Decision{.call_id = std::move(call_id), .approved = yes, .note = yes || no ? "" : word};
    }
  }

  // The answer, or nothing at the end of input.
  aio::Task<std::optional<run::Decision>> ask_question(const run::ToolCall& call) {
    const auto question = run::question_of(call);
    note("? " + harmless(question.text));
    for (const auto& choice : question.choices) note("  - " + harmless(choice));
    while (!input_.front() && !input_.at_end() && !leaving_) co_await input_.changed().wait();
    if (leaving_ || input_.at_end()) co_return std::nullopt;
    const auto answer = std::string(base::trim(input_.take()));
    const auto lower = base::to_lower(answer);
    const bool no = question.is_approval && lower != "y" && lower != "yes";
    co_return run::Decision{
        .call_id = call.id, .approved = !no, .note = question.is_approval && (lower == "y" || lower == "n") ? "" : answer};
  }

  bool stays_paused(const store::Run& run) {
    note("the run stays paused: outlast approve " + run.run_id);
    code_ = kStillRunning;
    return false;
  }

  // /cancel is heard while an answer is under way, also behind lines that wait for its end: a person does not mean those.
  aio::Task<> hear_commands() {
    for (;;) {
      co_await input_.changed().wait();
      while (following_ && cancel_is_due()) {
        note("Cancelling run " + answering_ + " ...");
        co_await process_.store->request_cancel(answering_);
      }
    }
  }

  bool cancel_is_due() {
    const bool first = input_.front() && base::trim(*input_.front()) == "/cancel";
    return (by_hand_ || first) && input_.take_word("/cancel");
  }

  void interrupted(int signal) {
    if (signal != SIGINT) {
      leaving_ = signal;
    } else if (!following_) {
      if (++interrupts_ > 1)
        leaving_ = signal;
      else
        note("\n[Ctrl-D or /quit leaves, and so does Ctrl-C again]");
      prompted_ = false;
    }
    input_.changed().notify_all();
  }

  void failed(int code) {
    if (code == kInterrupted || code == kTerminated) return;
    code_ = code;
  }

  void say_goodbye() const {
    if (by_hand_ && out_is_terminal()) put("\n");
    if (session_.last) note("[to resume] outlast chat " + one_line(options_.app.file, 200) + " -r " + session_.id);
  }

  Process& process_;
  const ChatOptions& options_;
  const app::App app_;
  SessionOf session_;
  const bool by_hand_;
  LineInput input_;
  aio::TaskGroup tasks_;
  std::set<std::int64_t> told_;  // notices that were shown
  store::RunNumber seen_ = 0;    // the session's newest run that was shown
  std::string answering_;        // the run under way
  bool following_ = false;       // ... and it is being shown: signals are its
  bool prompted_ = false;        // the terminal's last line is the prompt
  int interrupts_ = 0, leaving_ = 0, code_ = kOk;
};

aio::Task<int> chat(Process& process, const ChatOptions& options) {
  auto app = load_runnable(options.app.file, process.settings);
  if (!app) co_return complain(app.error());
  auto session = co_await session_of_app(process, options.app);
  if (!session) co_return complain(session.error());
  // Said before the first message is written, not after it.
  const auto possible = app_request(process, *app, options.app, "hello", *session);
  if (!possible) co_return complain(possible.error());
  Chat conversation(process, options, std::move(*app), std::move(*session));
  co_return co_await conversation.talk();
}

}  // namespace

int run_chat(const ChatOptions& options) {
  return with_store([&options](Process& process) { return chat(process, options); });
}

}  // namespace cli
