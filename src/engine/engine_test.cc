// The executor against the real store and the scripted provider: what a client of the log sees.
#include "engine/engine_fixture.h"

#include <fstream>

#include "engine/agents.h"
#include "engine/decision_deadlines.h"
#include "engine/history.h"
#include "engine/tasks.h"
#include "store/sqlite/database.h"

namespace engine {
namespace {

namespace fs = std::filesystem;

TEST_F(EngineTest, ARunSpeaksAndCompletes) {
  Process p(home);
  const auto r = p.settled(p.launch("tokens=50 rate=0"));
  EXPECT_EQ(r.status, run::Status::completed);
  const auto log = p.log(r);
  EXPECT_EQ(count<run::TextDelta>(log), 50u);
  EXPECT_EQ(content_of(log), words(50));
  p.run(p.executor.finished(r.number));  // the end is durable before it is counted
  EXPECT_EQ(p.counters.runs_completed, 1u);
}

TEST_F(EngineTest, TheLastWordsOfAModelAndTheEndOfItsRunAreOneAppend) {
  Process p(home);
  EXPECT_EQ(count<run::TextDelta>(p.log(p.settled(p.launch("tokens=3 rate=20")))), 3u);
  EXPECT_LE(p.counters.appends, 3u);  // one for each word: the last takes along how the model ended, and the run
}

TEST_F(EngineTest, ToolCallsOfOneMessageAreAllAnsweredBeforeTheNextModelCall) {
  Process p(home);
  const auto log = p.log(p.settled(p.launch("parallel Glob {\"pattern\":\"*.none\"} | Nope {}\nsay done")));
  EXPECT_EQ(count<run::ToolStarted>(log), 2u);
  EXPECT_EQ(count<run::ToolCompleted>(log), 2u);
  EXPECT_EQ(count<run::ToolError>(log), 1u);  // an unknown tool is an answer to the model, not the end of the run
  EXPECT_EQ(count<run::ModelCompleted>(log), 2u);
  EXPECT_EQ(content_of(log), "done");
}

TEST_F(EngineTest, ARetriedCallLeavesAFactAndItsTextCountsOnce) {
  Process p(home);
  const auto r = p.settled(p.launch("tokens=8 rate=0\nerror 429 x1\ncut 5 x1"));
  ASSERT_EQ(r.status, run::Status::completed);
  const auto log = p.log(r);
  EXPECT_EQ(content_of(log), words(8));
  EXPECT_EQ(count<run::ModelStarted>(log), 1u);
  EXPECT_EQ(count<run::Superseded>(log), 1u);
  const auto facts = p.run(p.store->facts(r.number));
  EXPECT_EQ(facts.size(), 2u);
  EXPECT_EQ(facts[0].type, "model_retry");
}

TEST_F(EngineTest, ARefusedKeyEndsTheRunWithItsCause) {
  Process p(home);
  const auto r = p.settled(p.launch("error 401 x9"));
  EXPECT_EQ(r.status, run::Status::error);
  EXPECT_EQ(r.reason, "run.failed.provider_auth");
}

TEST_F(EngineTest, CancelEndsAStreamAtOnceAndForGood) {
  Process p(home);
  const auto r = p.launch("tokens=1000 rate=100");
  p.turn_until([&] { return p.row(r).event_count > 5; });
  EXPECT_EQ(p.run(p.executor.cancel(r.run_id)).outcome, store::CancelOutcome::accepted);
  EXPECT_EQ(p.settled(r).status, run::Status::cancelled);
  const auto log = p.log(r);
  EXPECT_EQ(count<run::RunCancelled>(log), 1u);
  EXPECT_EQ(p.run(p.executor.cancel(r.run_id)).outcome, store::CancelOutcome::already_finished);
}

TEST_F(EngineTest, ACancelFromAnotherProcessReachesTheExecutor) {
  Process executing(home), other(home);
  const auto r = executing.launch("tokens=1000 rate=50");
  other.run(other.store->request_cancel(r.run_id));
  EXPECT_EQ(executing.settled(r).status, run::Status::cancelled);
}

TEST_F(EngineTest, ATimeLimitEndsTheRunWhateverTheModelDoes) {
  Process p(home);
  const auto r = p.settled(p.launch("tokens=5 rate=0\nstall 2 60000 x9", "s", {.timeout_ms = 300}));
  EXPECT_EQ(r.status, run::Status::error);
  EXPECT_EQ(r.reason, "run.timed_out.deadline");
}

TEST_F(EngineTest, ATakenOverRunGoesOnAndItsOldExecutorStops) {
  Process first(home), second(home);
  const auto r = first.launch("tokens=40 rate=100");
  first.turn_until([&] { return first.row(r).event_count > 10; });
  ASSERT_TRUE(second.run(second.executor.take(r.number, first.executor.owner())));
  first.turn_until([&] { return first.executor.executing() == 0; });
  EXPECT_EQ(first.counters.leases_lost, 1u);
  EXPECT_EQ(second.settled(r).status, run::Status::completed);
  const auto log = second.log(r);
  EXPECT_EQ(content_of(log), words(40));
  EXPECT_EQ(count<run::Superseded>(log), 1u);
  EXPECT_EQ(second.row(r).epoch, 2);
}

TEST_F(EngineTest, AWaitingRunIsAdoptedByWhoeverMay) {
  Process waiting(home);
  run::Spec spec{.input = "tokens=3 rate=0", .provider = "demo", .model = "fast"};
  LaunchRequest request{.spec = spec, .component_id = "main", .component_name = "main", .session_id = "s"};
  const auto r = waiting.run(waiting.store->launch(make_launch(request, waiting.time, waiting.random, 0))).run;
  Process adopting(home, true);
  EXPECT_EQ(adopting.settled(r).status, run::Status::completed);
  EXPECT_EQ(content_of(adopting.log(r)), words(3));
}

TEST_F(EngineTest, AStopHandsTheRunOverWithoutCancellingIt) {
  store::Run r;
  {
    Process stopping(home);
    r = stopping.launch("tokens=30 rate=100");
    stopping.turn_until([&] { return stopping.row(r).event_count > 5; });
  }
  Process next(home, true);
  EXPECT_EQ(next.settled(r).status, run::Status::completed);
  EXPECT_EQ(content_of(next.log(r)), words(30));
}

TEST_F(EngineTest, AnApprovedCallIsMade) {
  Process p(home, true);
  std::ofstream(home + "/note.txt") << "draft";
  LaunchRequest request;
  request.spec = {.input = R"(call Edit {"file_path":"note.txt","old_string":"draft","new_string":"final"})",
                  .provider = "demo",
                  .model = "fast",
                  .tools = {{"Edit", run::Gate::approve}},
                  .work_directory = home};
  request.component_id = request.component_name = "main";
  request.session_id = "s";
  const auto r = p.run(p.executor.launch(std::move(request))).run;
  p.turn_until([&] { return p.row(r).status == run::Status::paused; });
  const auto call = std::get<run::RunPaused>(p.log(r).back().payload).calls.at(0);
  ASSERT_TRUE(p.run(p.store->decide(r.number, {{.call_id = call.id, .approved = true}})));
  EXPECT_EQ(p.settled(r).status, run::Status::completed);
  EXPECT_EQ(count<run::ToolError>(p.log(r)), 0u);
  std::string text;
  std::ifstream(home + "/note.txt") >> text;
  EXPECT_EQ(text, "final");
}

TEST_F(EngineTest, RootsAreReachedAndInherited) {
  const auto flow = home + "/flow";
  fs::create_directories(flow + "/a");
  fs::create_directories(flow + "/b");
  std::ofstream(flow + "/b/note.txt") << "from b";
  const std::string call = R"({"file_path":"../b/note.txt"})";
  Process p(home);
  LaunchRequest request;
  request.spec = {.input = "call Read " + call, .provider = "demo", .model = "fast", .tools = {{"Read"}}, .work_directory = flow + "/a", .roots = {flow}};
  request.component_id = request.component_name = "main";
  request.session_id = "s";
  auto spec = request.spec;
  const auto parent = p.run(p.executor.launch(std::move(request))).run;
  const auto read_in = [&p](const store::Run& run) {
    std::string results;
    for (const auto& event : p.log(run))
      if (const auto* done = std::get_if<run::ToolCompleted>(&event.payload)) results += done->result;
    return results;
  };
  p.settled(parent);
  EXPECT_EQ(read_in(parent), "     1\tfrom b\n");

  Tasks tasks(p.deps, p.executor);
  Agents agents;
  agents.use(p.deps, p.executor);
  const run::Spec helper{.input = "", .provider = "demo", .model = "fast", .tools = {{"Read"}}};
  spec.team.push_back({.id = "helper", .description = "", .spec = run::encode(helper), .may_ask = {}});
  spec.may_ask = {"helper"};
  tool::Context caller{.run_id = parent.run_id, .call_id = "c", .work_directory = spec.work_directory, .roots = spec.roots};
  caller.session_id = "s";
  caller.granted = spec.tools;
  caller.spec = &spec;
  const auto task = p.run(tasks.launch(caller, {.name = "Read", .arguments = {{"file_path", "../b/note.txt"}}, .key = "k"}));
  ASSERT_TRUE(task) << task.error().message;
  const auto asked = p.run(agents.launch(caller, "helper", "call Read " + call));
  ASSERT_TRUE(asked) << asked.error().message;
  for (const auto& id : {task->task_id, asked->run_id}) {
    const auto run = *p.run(p.store->find_run(id));
    p.settled(run);
    EXPECT_EQ(read_in(run), "     1\tfrom b\n");
  }
}

TEST_F(EngineTest, ADecisionThatTakesTooLongIsANo) {
  std::ofstream(home + "/note.txt") << "draft";
  LaunchRequest request;
  request.spec = {.input = "call Edit {\"file_path\":\"note.txt\",\"old_string\":\"draft\",\"new_string\":\"final\"}\nsay went on",
                  .provider = "demo",
                  .model = "fast",
                  .tools = {{"Edit", run::Gate::approve}},
                  .limits = {.approval_ms = 3'000},
                  .work_directory = home};
  request.component_id = request.component_name = "main";
  request.session_id = "s";
  auto patient = request;
  patient.spec.limits.approval_ms = 0;
  store::Run hasty, waiting;
  {
    Process p(home);
    hasty = p.run(p.executor.launch(std::move(request))).run;
    waiting = p.run(p.executor.launch(std::move(patient))).run;
    p.turn_until([&] { return p.row(hasty).status == run::Status::paused && p.row(waiting).status == run::Status::paused; });
    p.run(refuse_overdue(p.deps));
    EXPECT_EQ(p.row(hasty).status, run::Status::paused) << "there is time left";
  }
  Process one(home, true), other(home, false);  // after a restart; both look, and one of them executes
  one.turn_until([&] { return one.time.wall_ms() - one.row(hasty).updated_ms >= 3'000; });
  EXPECT_EQ(one.run(one.store->undecided(one.time.wall_ms())).size(), 1u);
  one.run(refuse_overdue(one.deps));
  other.run(refuse_overdue(other.deps));
  EXPECT_EQ(one.settled(hasty).status, run::Status::completed);
  const auto log = one.log(hasty);
  EXPECT_EQ(count<run::RunContinued>(log), 1u) << "one was quicker";
  EXPECT_EQ(content_of(log), "went on");
  const auto& decisions = std::get<run::RunContinued>(std::ranges::find_if(log, [](const run::Event& e) {
                            return std::holds_alternative<run::RunContinued>(e.payload);
                          })->payload).decisions;
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_FALSE(decisions[0].approved);
  EXPECT_EQ(decisions[0].note, "No decision within 3 s: the call was not run.");
  std::string text;
  std::ifstream(home + "/note.txt") >> text;
  EXPECT_EQ(text, "draft");
  EXPECT_EQ(one.row(waiting).status, run::Status::paused) << "without a limit it waits";
}

TEST_F(EngineTest, ADecisionIsAboutThePauseThatItsMakerSaw) {
  Process p(home);
  const auto r = p.settled(p.launch("say x"));
  EXPECT_FALSE(overdue_decision(p.log(r).back(), {.limits = {.approval_ms = 1}}, INT64_MAX)) << "no pause";
  const run::Event pause{1'000, run::RunPaused{.content = "", .calls = {{"a", "Bash", "{}"}, {"b", "Bash", "{}"}}}};
  EXPECT_FALSE(overdue_decision(pause, {.limits = {.approval_ms = 30'000}}, 30'999));
  EXPECT_FALSE(overdue_decision(pause, {}, INT64_MAX));
  EXPECT_EQ(overdue_decision(pause, {.limits = {.approval_ms = 30'000}}, 31'000)->decisions.size(), 2u);
}

TEST_F(EngineTest, CallsBeyondARateAreNotMade) {
  Process p(home);
  std::ofstream(home + "/a.txt") << "text";
  LaunchRequest request;
  request.spec = {.input = R"(parallel Read {"file_path":"a.txt"} | Read {"file_path":"a.txt"} | Glob {"pattern":"*"} | Read {"file_path":"a.txt"})",
                  .provider = "demo",
                  .model = "fast",
                  .tools = {{"Read"}, {"Glob"}},
                  .settings = {.rate_limits = {{.module = "filesystem", .actions = {"read"}, .calls_max = 2, .per_ms = 60'000}}},
                  .work_directory = home};
  request.component_id = request.component_name = "main";
  request.session_id = "s";
  const auto r = p.settled(p.run(p.executor.launch(std::move(request))).run);
  EXPECT_EQ(r.status, run::Status::completed);
  std::vector<std::string> refused;
  for (const auto& event : p.log(r))
    if (const auto* error = std::get_if<run::ToolError>(&event.payload)) refused.push_back(error->error);
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_TRUE(refused[0].starts_with("Read: the limit of 2 calls in 60 s (filesystem.read) is reached; the call was not run. Try again in ")) << refused[0];
}

TEST_F(EngineTest, TheNextRunOfASessionKnowsThePast) {
  Process p(home);
  p.settled(p.launch("say first answer"));
  const auto second = p.settled(p.launch("say second answer"));
  const auto past = p.run(past_messages(*p.store, second));
  ASSERT_EQ(past.size(), 2u);
  EXPECT_EQ(past[0].text, "say first answer");
  EXPECT_EQ(past[1].text, "first answer");
}

TEST_F(EngineTest, AQueuedTurnBeginsWhenTheOneBeforeHasEnded) {
  Process p(home, true);
  const auto say = [&p](std::string input) {
    LaunchRequest request;
    request.spec = {.input = std::move(input),
                    .provider = "demo",
                    .model = "fast",
                    .limits = {.timeout_ms = 1'000},
                    .work_directory = "/tmp"};
    request.component_id = request.component_name = "main";
    request.session_id = "s";
    request.in_turn = true;
    return p.run(p.executor.launch(std::move(request))).run;
  };
  store::Session session;
  session.session_id = "s";
  ASSERT_TRUE(p.run(p.store->create_session(session)));
  const auto first = say("tokens=14 rate=20"), second = say("tokens=6 rate=20"), purged = say("say never");
  EXPECT_EQ(second.status, run::Status::pending);
  p.run(p.executor.cancel(purged.run_id));
  EXPECT_EQ(p.settled(purged).status, run::Status::cancelled);
  EXPECT_EQ(p.row(first).status, run::Status::running) << "a cancel waits for nobody";
  const auto done = p.settled(second);
  EXPECT_EQ(done.status, run::Status::completed) << "its time limit begins with its turn: " << done.reason;
  EXPECT_GE(done.began_ms, p.row(first).ended_ms);
  const auto past = p.run(past_messages(*p.store, done));
  ASSERT_EQ(past.size(), 2u) << "what was never said is no past";
  EXPECT_EQ(past[1].text, words(14));
}

TEST_F(EngineTest, AForkKnowsThePastUpToItsEvent) {
  Process p(home);
  p.settled(p.launch("say one"));
  const auto origin = p.settled(p.launch("tokens=6 rate=0"));
  store::Session fork{.session_id = "fork", .component_type = "agent", .component_id = "main", .forked_from_run = origin.run_id, .forked_at = 5};
  ASSERT_TRUE(p.run(p.store->create_session(fork)));
  const auto branch = p.settled(p.launch("say after", "fork"));
  const auto past = p.run(past_messages(*p.store, branch));
  ASSERT_EQ(past.size(), 4u);
  EXPECT_EQ(past[1].text, "one");
  EXPECT_EQ(past[3].text, words(3));  // two events before the first word, then three words
}

TEST_F(EngineTest, AProcessWhoseLeaseLapsedDoesNotTakeItsOwnRunOverFromItself) {
  Process p(home, true);
  const auto r = p.launch("tokens=60 rate=40");  // a second and a half: several looks for orphans
  p.turn_until([&] { return p.row(r).event_count > 5; });
  base::SystemClock clock;
  store::sqlite::Database db(home + "/outlast.db", store::sqlite::OpenMode::read_write);
  for (int i = 0; i < 8; ++i) {  // as if the clock had been set forwards, again and again
    db.query("UPDATE owner SET expires_ms = 0").run();
    const auto until = clock.steady_ms() + 60;
    p.turn_until([&] { return clock.steady_ms() >= until; });
  }
  const auto done = p.settled(r);
  EXPECT_EQ(done.status, run::Status::completed);
  EXPECT_EQ(done.epoch, 1);
  EXPECT_EQ(p.counters.runs_adopted, 0u);
}

}  // namespace
}  // namespace engine
