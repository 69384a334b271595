// The projection of committed logs into run directories: what the files hold, and that nothing is ever written twice.
#include "engine/projection.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "aio/loop_fixture.h"
#include "aio/task_group.h"
#include "base/ids.h"
#include "base/json.h"
#include "engine/launch.h"
#include "engine/projection_lines.h"
#include "engine/projection_snapshot.h"
#include "store/sqlite_store.h"

namespace engine {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

json::object object_of(const std::string& path) { return base::parse_json(content_of(path))->as_object(); }

std::vector<json::object> lines_of(const std::string& path) {
  std::vector<json::object> lines;
  std::istringstream text(content_of(path));
  for (std::string line; std::getline(text, line);) lines.push_back(base::parse_json(line)->as_object());
  return lines;
}

store::Run some_run(const std::string& id = "r1", const std::string& group = "r1") {
  store::Run run;
  run.run_id = id;
  run.group_id = group;
  run.kind = "agent";
  run.component_name = "critic";
  run.session_id = "branch-of-" + id;
  run.status = run::Status::running;
  run.epoch = 2;
  run.created_ms = 1'000'500;
  return run;
}

ManifestChange change_of(store::Run run) {
  run::Spec spec{.input = "hi", .provider = "demo", .model = "fast", .work_directory = "/tmp"};
  store::Owner process{.host = "here/machine", .boot_id = "boot", .pid = 7, .pid_start = 8};
  return {.run = std::move(run), .spec = spec, .process = process, .directory = "/runs/r1", .command = {"outlast", "agent"}};
}

TEST(RunManifest, TellsTheRunInTheWordsOfTheCommandLine) {
  auto run = some_run();
  run.status = run::Status::error;
  run.reason = "run.timed_out.deadline";
  run.ended_ms = 2'000'000;
  const auto told = *changed_manifest({}, change_of(run));
  EXPECT_EQ(told.at("status"), "timed_out");
  EXPECT_EQ(told.at("exit_code"), 124);
  EXPECT_EQ(told.at("model_spec"), "demo/fast");
  EXPECT_EQ(told.at("host"), "here");
  EXPECT_EQ(told.at("branches").as_array().at(0).as_object().at("id"), "branch-of-r1");
  EXPECT_NE(indented(told).find("\n  \"started_at\": 1000.500,"), std::string::npos);
}

TEST(RunManifest, NeverGoesBack) {
  auto run = some_run();
  run.status = run::Status::completed;
  run.ended_ms = 2'000'000;
  const auto ended = *changed_manifest({}, change_of(run));
  EXPECT_FALSE(changed_manifest(ended, change_of(some_run())));
  auto older = run;
  older.epoch = 1;
  EXPECT_FALSE(changed_manifest(ended, change_of(older)));
}

TEST(RunManifest, AJoinedRunAddsItselfAndLeavesTheRestAlone) {
  const auto first = *changed_manifest({}, change_of(some_run()));
  auto joined = some_run("r2", "r1");
  auto both = *changed_manifest(first, change_of(joined));
  EXPECT_EQ(both.at("run_id"), "r1");
  EXPECT_EQ(both.at("branches").as_array().size(), 2u);
  joined.status = run::Status::completed;
  joined.ended_ms = 3'000'000;
  both = *changed_manifest(both, change_of(joined));
  ASSERT_EQ(both.at("invocations").as_array().size(), 1u);
  EXPECT_EQ(both.at("invocations").as_array()[0].as_object().at("status"), "completed");
  EXPECT_EQ(both.at("status"), "running");
  EXPECT_EQ(both.at("branches").as_array().size(), 2u);
}

TEST(RunManifest, CommandAndUnknownKeysStay) {
  auto told = *changed_manifest({}, change_of(some_run()));
  told["note_of_mine"] = "kept";
  auto later = change_of(some_run());
  later.command.clear();
  later.run.epoch = 3;
  const auto after = *changed_manifest(told, later);
  EXPECT_EQ(after.at("note_of_mine"), "kept");
  EXPECT_EQ(after.at("command").as_array().size(), 2u);
}

TEST(StreamLine, KnowsItsIndexAndRun) {
  const auto line = stream_line({"r1", "s"}, 12, {5, run::TextDelta{"a \"quoted\"\nword"}}, run::Status::running);
  const auto o = base::parse_json(line)->as_object();
  EXPECT_EQ(o.at("type"), "text");
  EXPECT_EQ(o.at("content"), "a \"quoted\"\nword");
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(stream_index(line, "r1"), 12u);
  EXPECT_FALSE(stream_index(line, "r"));
  EXPECT_FALSE(stream_index(line, "r11"));
  EXPECT_FALSE(stream_index(line.substr(0, line.size() - 1), "r1"));
}

TEST(StreamLine, ArgumentsAreAnObjectOrWhatTheModelWrote) {
  const auto input = [](const std::string& arguments) {
    const run::ToolStarted started{{.id = "c", .name = "Glob", .arguments = arguments}, run::Recall::never};
    return base::parse_json(stream_line({"r", "s"}, 0, {0, started}, run::Status::running))->as_object().at("tool_input");
  };
  EXPECT_EQ(input(R"({"a":1})"), json::value({{"a", 1}}));
  EXPECT_EQ(input("{broken"), json::value("{broken"));
}

TEST(BranchFileName, IsAPlainFileNameForEverySession) {
  EXPECT_EQ(branch_file_name("5546c6d0-7d9c"), "5546c6d0-7d9c");
  EXPECT_EQ(branch_file_name("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd");
  EXPECT_EQ(branch_file_name(".."), "%2E.");
  EXPECT_LE(branch_file_name(std::string(256, '/')).size(), 200u);
  EXPECT_NE(branch_file_name(std::string(256, '/')), branch_file_name(std::string(255, '/')));
}

class ProjectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "outlast-projection-XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    home = name;
    auto opened = store::open_sqlite_store(io, time, {.home = home});
    ASSERT_TRUE(opened) << opened.error().message;
    store = std::move(*opened);
    logs.emplace(io, time, *store, counters);
    projection.emplace(*store, *logs, time, files, home + "/runs");
    tasks.emplace(io, [](const std::string&, const std::string& what) { ADD_FAILURE() << what; });
    store->listen({.grown = [this](const auto& growth) { logs->grown(growth); }, .control = [] {}});
    owner = run(store->register_owner());
  }
  void TearDown() override {
    tasks->cancel();
    run(tasks->join());
    run(store->close());
    fs::remove_all(home);
  }
  template <class T>
  T run(aio::Task<T> task) {
    return aio::run_to_end(io, std::move(task));
  }
  // `flow`: whose operation it is.
  store::Run launch(const store::Run* flow = nullptr) {
    LaunchRequest request;
    request.spec = {.input = "hi", .provider = "demo", .model = "fast", .work_directory = "/tmp"};
    request.component_id = request.component_name = "critic";
    request.session_id = flow ? "op" : "s";
    request.origin = "command";
    if (flow) request.parent_run_id = flow->run_id;
    auto launch = make_launch(request, time, random, owner);
    launch.group_id = flow ? flow->run_id : launch.run_id;
    return run(store->launch(std::move(launch))).run;
  }
  void append(const store::Run& r, std::uint64_t first, const std::vector<run::Payload>& payloads,
              std::optional<run::Status> status = {}) {
    store::Append a{.run = r.number, .epoch = r.epoch, .first = first};
    for (const auto& payload : payloads) a.lines += run::encode({time.wall_ms(), payload}) + "\n", ++a.count;
    a.status = status;
    a.reason = status ? "run.completed.ok" : "";
    a.now_ms = time.wall_ms();
    ASSERT_TRUE(run(store->append(std::move(a))));
  }
  std::string stream_path(const store::Run& r) { return home + "/runs/" + r.run_id + "/stream/s.buffer.jsonl"; }
  json::object manifest(const store::Run& r) { return object_of(home + "/runs/" + r.run_id + "/run.json"); }
  void expect_dense(const store::Run& r, std::size_t count) {
    const auto lines = lines_of(stream_path(r));
    ASSERT_EQ(lines.size(), count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(base::int_field(lines[i], "event_index"), static_cast<std::int64_t>(i));
  }

  boost::asio::io_context io{1};
  aio::SystemTime time{io};
  base::SystemRandom random;
  Counters counters;
  aio::Offload files{2};
  std::unique_ptr<store::Store> store;
  std::optional<LiveLogs> logs;
  std::optional<Projection> projection;
  std::optional<aio::TaskGroup> tasks;
  store::OwnerNumber owner = 0;
  std::string home;
};

const std::vector<run::Payload> kAnswer = {run::TextDelta{"w0 "}, run::TextDelta{"w1"}, run::ModelCompleted{.model = "fast"}};
const std::vector<run::Payload> kEnd = {run::ContentCompleted{}, run::RunCompleted{.content = "w0 w1"}};

TEST_F(ProjectionTest, FollowsARunToItsEnd) {
  const auto r = launch();
  tasks->spawn("follow", projection->follow(r));
  append(r, 2, kAnswer);
  append(r, 5, kEnd, run::Status::completed);
  run(tasks->join());
  expect_dense(r, 7);
  EXPECT_EQ(manifest(r).at("status"), "completed");
  const auto branch = object_of(home + "/runs/" + r.run_id + "/branches/s.json");
  const auto& messages = branch.at("messages").as_array();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[1].as_object().at("role"), "assistant");
  EXPECT_EQ(messages[1].as_object().at("content"), "w0 w1");
  EXPECT_EQ(lines_of(stream_path(r)).back().at("type"), "result");
}

TEST_F(ProjectionTest, LeftAtTheHeadItGoesOnWhereItWas) {
  const auto r = launch();
  append(r, 2, kAnswer);
  tasks->spawn("follow", projection->follow(r));
  projection->leave(r.number);
  run(tasks->join());
  expect_dense(r, 5);
  EXPECT_EQ(manifest(r).at("status"), "running");
  append(r, 5, kEnd, run::Status::completed);
  run(projection->follow(r));
  expect_dense(r, 7);
}

TEST_F(ProjectionTest, AnOperationIsWrittenWhenItHasEnded) {
  const auto flow = launch();
  RunDirectory(home + "/runs", flow.run_id).make();
  const auto op = launch(&flow);
  tasks->spawn("follow", projection->follow(op, run(store->read(op.number, 0))));
  append(op, 2, kAnswer);
  append(op, 5, kEnd, run::Status::completed);
  projection->leave(op.number);
  run(tasks->join());
  const auto directory = home + "/runs/" + flow.run_id;
  EXPECT_EQ(lines_of(directory + "/stream/op.buffer.jsonl").size(), 7u);
  EXPECT_EQ(object_of(directory + "/branches/op.json").at("messages").as_array().size(), 2u);
  EXPECT_FALSE(fs::exists(directory + "/run.json")) << "its flow tells of it";
}

TEST_F(ProjectionTest, TwoAtOnceWriteEveryLineOnce) {
  const auto r = launch();
  Projection other(*store, *logs, time, files, home + "/runs");
  tasks->spawn("one", projection->follow(r));
  tasks->spawn("two", other.follow(r));
  for (std::uint64_t i = 2; i < 60; ++i) append(r, i, {run::TextDelta{"x"}});
  append(r, 60, {run::ModelCompleted{.model = "fast"}});
  append(r, 61, kEnd, run::Status::completed);
  run(tasks->join());
  expect_dense(r, 63);
}

TEST_F(ProjectionTest, ARemovedRunDoesNotComeBack) {
  const auto r = launch();
  append(r, 2, kEnd, run::Status::completed);
  RunDirectory(home + "/runs", r.run_id).make();
  ASSERT_TRUE(run(store->remove_run(r.number)));
  fs::remove_all(home + "/runs/" + r.run_id);
  auto missing = RunDirectory(home + "/runs", r.run_id);
  EXPECT_THROW(missing.tell(change_of(r)), DirectoryGone);
}

TEST_F(ProjectionTest, ATornEndIsCutOffAndContinued) {
  const RunDirectory directory(home + "/runs", "r1");
  fs::create_directories(home + "/runs");
  directory.make();
  const auto line = [](std::uint64_t i) { return stream_line({"r1", "s"}, i, {0, run::TextDelta{"x"}}, run::Status::running); };
  {
    StreamBuffer stream(directory, "s", "r1");
    stream.append(0, {line(0), line(1)});
  }
  const auto path = directory.path() + "/stream/s.buffer.jsonl";
  for (const std::string torn : {R"({"event_index":2,"run_id":"r1","type)", "\0\0\0\0\0", "garbage\n"}) {
    std::ofstream(path, std::ios::app | std::ios::binary) << torn;
    StreamBuffer stream(directory, "s", "r1");
    stream.append(0, {line(0), line(1), line(2)});
    const auto lines = lines_of(path);
    ASSERT_EQ(lines.size(), 3u) << torn;
    EXPECT_EQ(base::int_field(lines[2], "event_index"), 2);
  }
  StreamBuffer other(directory, "s", "r2");  // another leg of the same branch in the same directory
  other.append(0, {stream_line({"r2", "s"}, 0, {0, run::TextDelta{"x"}}, run::Status::running)});
  EXPECT_EQ(lines_of(path).size(), 4u);
  struct stat status{};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(ProjectionTest, ManyJoinersAtOnceAreAllThere) {
  fs::create_directories(home + "/runs");
  const RunDirectory directory(home + "/runs", "r1");
  directory.make();
  directory.tell(change_of(some_run()));
  {
    std::vector<std::jthread> joiners;
    for (int i = 0; i < 8; ++i)
      joiners.emplace_back([&directory, i] {
        for (int k = 0; k < 5; ++k) directory.tell(change_of(some_run("j" + std::to_string(i) + std::to_string(k), "r1")));
      });
  }
  const auto told = object_of(directory.path() + "/run.json");
  EXPECT_EQ(told.at("invocations").as_array().size(), 40u);
  EXPECT_EQ(told.at("run_id"), "r1");
}

}  // namespace
}  // namespace engine
