// The machine of coding-agent runs: what is due after each thing that can happen to a program that others wrote.
#include "run/harness.h"

#include <gtest/gtest.h>

namespace run {
namespace {

constexpr std::int64_t kNow = 1'000'000;

// A log that grows by what the machine decides and by what a test says of the program.
struct Story {
  Spec spec;
  HarnessState state;
  HarnessSituation now{.now_ms = kNow, .cancel_reason = "Run r was cancelled"};
  std::uint64_t output = 0;

  Story() {
    spec.input = "do it";
    spec.provider = "claude";
    spec.harness = HarnessSpec{.harness = "claude", .session_id = "sid"};
    state = initial_harness("r", kNow);
  }
  void happens(Payload payload, std::uint64_t from_output = 0) {
    const Event event{now.now_ms, std::move(payload), from_output};
    // What is kept is what can be read again.
    const auto read = decode(encode(event));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(encode(*read), encode(event));
    apply(state, *read);
  }
  void says(Payload payload) { happens(std::move(payload), output += 10); }
  // Performs what needs no world until something does.
  HarnessAction settle() {
    for (int i = 0; i < 20; ++i) {
      auto action = decide(state, spec, now);
      auto* events = std::get_if<AppendEvents>(&action);
      if (!events) return action;
      for (auto& payload : events->events) happens(std::move(payload));
      now.notices.clear();
      if (events->status) reason = events->reason;
    }
    ADD_FAILURE() << "it never comes to rest";
    return Idle{};
  }
  void begins(const std::string& sid = "sid") {
    ASSERT_TRUE(std::holds_alternative<FollowProcess>(settle()));
    output = 0;
    says(HarnessSession{sid, "m", "2"});
    says(HarnessHeard{state.process->message_id});
  }
  void ends(HarnessEnded end) {
    end.process = state.process->process;
    happens(std::move(end));
  }
  void exits(int code = 0) { ends({.exit_code = code, .why = "exited"}); }
  void dies() { ends({.signal = 9, .why = "signalled"}); }
  void turn(TurnOutcome outcome, std::string text = "", std::int64_t until_ms = 0) {
    HarnessTurn turn{.outcome = outcome, .usage = {.input_tokens = 10, .output_tokens = 2}, .until_ms = until_ms};
    (outcome == TurnOutcome::done ? turn.text : turn.error) = std::move(text);
    says(std::move(turn));
  }
  void tells(const std::string& id, const std::string& text) {
    now.notices = {{7, Notice{.task_id = id, .text = text, .as_user = true}}};
    settle();
  }
  std::string reason;
};

const HarnessStarted& started(const Story& story) { return *story.state.process; }

TEST(Harness, A_turn_begins_with_the_prompt_in_the_pinned_session_and_ends_with_its_answer) {
  Story s;
  s.begins();
  EXPECT_EQ(started(s).prompt, "do it");
  EXPECT_EQ(started(s).session_id, "sid");
  EXPECT_FALSE(started(s).resumes);
  s.turn(TurnOutcome::done, "did it");
  s.exits();
  EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
  EXPECT_EQ(s.state.status, Status::completed);
  EXPECT_EQ(s.reason, kReasonCompleted);
  EXPECT_EQ(s.state.content, "did it");
  EXPECT_EQ(s.state.usage.total(), 12);
}

TEST(Harness, An_end_without_a_last_word_is_no_success_whatever_the_exit_code_says) {
  Story s;
  s.begins();
  s.exits(0);
  s.settle();
  EXPECT_EQ(s.state.status, Status::error);
  EXPECT_EQ(s.reason, reason_of(Cause::no_result));
}

TEST(Harness, A_killed_program_is_brought_back_in_its_session_and_told_once_what_happened) {
  Story s;
  s.begins();
  s.dies();
  ASSERT_TRUE(std::holds_alternative<FollowProcess>(s.settle()));
  EXPECT_TRUE(started(s).resumes);
  EXPECT_EQ(started(s).session_id, "sid");
  EXPECT_EQ(started(s).process, 2);
  EXPECT_NE(started(s).prompt, "do it");
  EXPECT_NE(started(s).prompt.find("interrupted"), std::string::npos);
}

TEST(Harness, What_was_not_heard_before_the_death_is_said_again_under_the_same_id) {
  Story s;
  s.settle();
  s.says(HarnessSession{"sid", "m", "2"});
  const auto id = started(s).message_id;
  s.dies();
  s.settle();
  EXPECT_EQ(started(s).prompt, "do it");
  EXPECT_EQ(started(s).message_id, id);
  EXPECT_TRUE(started(s).resumes);
}

TEST(Harness, What_a_death_cut_is_gone_on_with_before_what_came_later_is_said) {
  Story s;
  s.begins();
  s.tells("msg", "and this");
  s.dies();
  s.settle();
  EXPECT_NE(started(s).prompt.find("interrupted"), std::string::npos);
  s.says(HarnessSession{"sid", "m", "2"});
  s.says(HarnessHeard{started(s).message_id});
  s.turn(TurnOutcome::done, "did it");
  s.exits();
  s.settle();
  EXPECT_EQ(started(s).prompt, "and this");
  EXPECT_EQ(started(s).message_id, "msg");
}

TEST(Harness, A_session_that_was_never_confirmed_is_made_again_unless_it_is_there) {
  Story s;
  s.settle();
  s.dies();
  s.settle();
  EXPECT_FALSE(started(s).resumes);
  s.ends({.exit_code = 1, .why = "exited", .words = "Error: Session ID sid is already in use."});
  s.settle();
  EXPECT_TRUE(started(s).resumes);
  EXPECT_EQ(started(s).prompt, "do it");
}

TEST(Harness, A_program_that_dies_again_and_again_is_given_up_after_pauses) {
  Story s;
  s.begins();
  s.dies();
  int pauses = 0;
  for (int i = 0; i < 10 && !is_terminal(s.state.status); ++i) {
    const auto action = s.settle();
    if (const auto* wait = std::get_if<WaitUntil>(&action)) {
      ++pauses;
      EXPECT_GT(wait->at_ms, s.now.now_ms);
      s.now.now_ms = wait->at_ms;
    } else if (std::holds_alternative<FollowProcess>(action)) {
      s.dies();
    }
  }
  EXPECT_EQ(s.state.status, Status::error);
  EXPECT_EQ(s.reason, reason_of(Cause::worker_lost));
  EXPECT_EQ(started(s).process, kHarnessCrashesMax);
  EXPECT_GE(pauses, 1);
}

TEST(Harness, A_message_is_told_while_it_works_and_the_run_does_not_end_before_it_is_heard) {
  Story s;
  s.begins();
  s.tells("msg", "and this");
  ASSERT_EQ(s.state.messages.size(), 2U);
  EXPECT_EQ(s.state.messages[1].id, "msg");
  s.turn(TurnOutcome::done, "did it");
  s.exits();
  ASSERT_TRUE(std::holds_alternative<FollowProcess>(s.settle()));
  EXPECT_EQ(started(s).prompt, "and this");
  EXPECT_EQ(started(s).message_id, "msg");
  s.says(HarnessSession{"sid"});
  s.says(HarnessHeard{"msg"});
  s.turn(TurnOutcome::done, "both");
  s.exits();
  s.settle();
  EXPECT_EQ(s.state.status, Status::completed);
  EXPECT_EQ(s.state.content, "both");
}

TEST(Harness, A_death_after_a_message_was_heard_is_no_end_of_the_turn_before) {
  Story s;
  s.begins();
  s.turn(TurnOutcome::done, "one");
  s.tells("msg", "two");
  s.says(HarnessHeard{"msg"});
  s.dies();
  ASSERT_TRUE(std::holds_alternative<FollowProcess>(s.settle()));
  EXPECT_NE(started(s).message_id, "msg");  // it is in the conversation: another word makes it go on
  EXPECT_TRUE(started(s).resumes);
}

TEST(Harness, A_program_that_knew_the_message_already_is_given_another_word) {
  Story s;
  s.begins();
  s.now.idles = true;
  const auto action = decide(s.state, s.spec, s.now);
  const auto* events = std::get_if<AppendEvents>(&action);
  ASSERT_TRUE(events);
  EXPECT_TRUE(std::holds_alternative<Notice>(events->events.front()));
  s.now.idles = false;
  for (const auto& payload : events->events) s.happens(payload);
  EXPECT_FALSE(all_heard(s.state));
  EXPECT_EQ(s.state.messages.back().id.size(), 36U);
}

TEST(Harness, A_usage_limit_is_waited_for_and_then_it_goes_on) {
  Story s;
  s.begins();
  s.turn(TurnOutcome::limited, "limit reached", kNow + 60'000);
  s.exits(1);
  auto action = s.settle();
  ASSERT_TRUE(std::holds_alternative<WaitUntil>(action));
  EXPECT_EQ(std::get<WaitUntil>(action).at_ms, kNow + 60'000);
  EXPECT_EQ(s.state.wait_why, "limit: limit reached");
  s.now.now_ms = kNow + 60'000;
  EXPECT_TRUE(std::holds_alternative<FollowProcess>(s.settle()));
  EXPECT_TRUE(started(s).resumes);
  EXPECT_EQ(started(s).why, "limit");
}

TEST(Harness, A_limit_that_comes_again_is_waited_for_longer_and_one_without_an_end_for_long) {
  Story s;
  std::vector<std::int64_t> waits;
  for (const std::int64_t hint : {100, 100, 100, 0}) {
    ASSERT_TRUE(std::holds_alternative<FollowProcess>(s.settle()));
    s.output = 0;
    s.says(HarnessSession{"sid"});
    s.says(HarnessHeard{started(s).message_id});
    s.turn(TurnOutcome::limited, "limit", hint ? s.now.now_ms + hint : 0);
    s.exits(1);
    const auto action = s.settle();
    ASSERT_TRUE(std::holds_alternative<WaitUntil>(action));
    waits.push_back(std::get<WaitUntil>(action).at_ms - s.now.now_ms);
    s.now.now_ms = std::get<WaitUntil>(action).at_ms;
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{2'000, 4'000, 8'000, 900'000}));
}

TEST(Harness, A_limit_that_is_too_long_and_a_refused_key_are_failures_at_once) {
  Story s;
  s.spec.harness->limits.limit_wait_ms = 1'000;
  s.begins();
  s.turn(TurnOutcome::limited, "limit", kNow + 60'000);
  s.exits(1);
  s.settle();
  EXPECT_EQ(s.reason, reason_of(Cause::provider_limited));
  Story t;
  t.begins();
  t.turn(TurnOutcome::denied, "401");
  t.exits(1);
  t.settle();
  EXPECT_EQ(t.reason, reason_of(Cause::provider_auth));
  EXPECT_EQ(started(t).process, 1);
}

TEST(Harness, A_passing_failure_is_tried_again_a_bounded_number_of_times) {
  Story s;
  for (int i = 0; i < 20 && !is_terminal(s.state.status); ++i) {
    const auto action = s.settle();
    if (const auto* wait = std::get_if<WaitUntil>(&action)) s.now.now_ms = wait->at_ms;
    if (!std::holds_alternative<FollowProcess>(action)) continue;
    s.output = 0;
    s.says(HarnessSession{"sid"});
    s.says(HarnessHeard{started(s).message_id});
    s.turn(TurnOutcome::again, "529");
    s.exits(1);
  }
  EXPECT_EQ(s.reason, reason_of(Cause::provider_failed));
  EXPECT_EQ(started(s).process, kHarnessFailuresMax);
}

TEST(Harness, A_question_pauses_the_run_and_its_answer_lets_the_same_process_go_on) {
  Story s;
  s.begins();
  s.now.asks = {{.id = "c1", .name = "Bash", .arguments = "{}"}};
  EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
  EXPECT_EQ(s.state.status, Status::paused);
  s.now.asks.clear();
  s.happens(RunContinued{{{.call_id = "c1", .approved = true}}});
  EXPECT_TRUE(std::holds_alternative<FollowProcess>(s.settle()));
  ASSERT_TRUE(find_decision(s.state, "c1"));
  EXPECT_TRUE(find_decision(s.state, "c1")->approved);
  EXPECT_EQ(started(s).process, 1);
}

TEST(Harness, A_run_waits_until_those_ahead_of_it_have_ended) {
  Story s;
  s.now.ahead = 1;
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(s.settle()));
  EXPECT_FALSE(s.state.process);
  s.now.ahead = 0;
  EXPECT_TRUE(std::holds_alternative<FollowProcess>(s.settle()));
}

TEST(Harness, A_cancel_ends_the_process_first_also_while_it_waits_for_a_person) {
  for (const bool asks : {false, true}) {
    Story s;
    s.begins();
    if (asks) s.now.asks = {{.id = "c1", .name = "Bash", .arguments = "{}"}};
    s.settle();
    s.now.cancel_requested = true;
    auto action = s.settle();
    ASSERT_TRUE(std::holds_alternative<EndProcess>(action));
    s.ends({.exit_code = 143, .why = "cancelled"});
    s.settle();
    EXPECT_EQ(s.state.status, Status::cancelled);
  }
}

TEST(Harness, Work_counts_when_its_check_passes_and_is_put_right_a_bounded_number_of_times) {
  Story s;
  s.spec.harness->check = {"make", "test"};
  for (int i = 0; i < 20 && !is_terminal(s.state.status); ++i) {
    const auto action = s.settle();
    if (std::holds_alternative<RunCheck>(action)) {
      s.now.check = CheckResult{false, "2 failed"};
      continue;
    }
    if (!std::holds_alternative<FollowProcess>(action)) break;
    s.now.check.reset();
    s.output = 0;
    s.says(HarnessSession{"sid"});
    s.says(HarnessHeard{started(s).message_id});
    s.turn(TurnOutcome::done, "done");
    s.exits();
  }
  EXPECT_EQ(s.reason, reason_of(Cause::check_failed));
  EXPECT_EQ(started(s).process, 1 + kHarnessChecksMax);
  EXPECT_NE(started(s).prompt.find("2 failed"), std::string::npos);
}

TEST(Harness, An_unattended_task_that_was_not_marked_as_done_has_failed) {
  for (const bool marked : {false, true}) {
    Story s;
    s.spec.harness->unattended = true;
    s.spec.harness->task = "t";
    s.begins();
    s.turn(TurnOutcome::done, "I think so");
    s.exits();
    s.now.task_done = marked;
    s.settle();
    EXPECT_EQ(s.state.status, marked ? Status::completed : Status::error);
    if (!marked) {
      EXPECT_EQ(s.reason, reason_of(Cause::not_marked_done));
    }
  }
}

TEST(Harness, Time_and_tokens_are_hard_limits) {
  Story s;
  s.spec.limits.timeout_ms = 5'000;
  s.begins();
  s.now.now_ms += 5'000;
  ASSERT_TRUE(std::holds_alternative<EndProcess>(s.settle()));
  s.ends({.signal = 15, .why = "timeout"});
  s.settle();
  EXPECT_EQ(s.reason, reason_of(Cause::run_timeout));
  Story t;
  t.spec.limits.tokens = 5;
  t.begins();
  t.turn(TurnOutcome::again, "529");
  ASSERT_TRUE(std::holds_alternative<EndProcess>(t.settle()));
  Story m;
  m.spec.limits.cost_micros = 1'000;
  m.begins();
  m.says(HarnessTurn{.outcome = TurnOutcome::again, .cost_micros = 1'000});
  ASSERT_TRUE(std::holds_alternative<EndProcess>(m.settle()));
  m.ends({.signal = 15, .why = "money"});
  m.settle();
  EXPECT_EQ(m.reason, reason_of(Cause::cost_limit));
}

TEST(Harness, A_message_id_is_a_uuid_and_the_same_for_the_same_key) {
  const auto id = harness_message_id("run", "prompt");
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '8');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  EXPECT_EQ(id, harness_message_id("run", "prompt"));
  EXPECT_NE(id, harness_message_id("run", "prompt2"));
}

TEST(Harness, What_a_killed_turn_has_used_counts) {
  HarnessEnded killed{.process = 1, .exit_code = {}, .signal = 9, .why = "cancelled", .words = {}, .used = {.input_tokens = 30, .output_tokens = 4}};
  const auto read = decode(encode({5, killed}));
  ASSERT_TRUE(read);
  auto state = initial_harness("r", 1);
  apply(state, *read);
  EXPECT_EQ(state.usage, (Usage{.input_tokens = 30, .output_tokens = 4}));
}

TEST(Harness, What_an_executor_is_to_do_survives_being_written_down) {
  HarnessSpec spec{.harness = "codex", .task = "t", .title = "p/t", .session_id = "s", .resumes = true, .background = true, .unattended = true,
                   .skip_permissions = true, .environment = {"A=b"}, .check = {"make"}, .repository = "/r", .notify = "tell", .limits = {1, 2, 3, 4}};
  Spec whole;
  whole.harness = spec;
  const auto read = decode_spec(encode(whole));
  ASSERT_TRUE(read && read->harness);
  EXPECT_EQ(*read->harness, spec);
}

}  // namespace
}  // namespace run
