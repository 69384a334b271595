#include "aio/scope.h"
#include "mcp/client.h"
#include "mcp/client_fixture.h"

namespace mcp {
namespace {

// A server whose calls become tasks; `state` is what tasks/get says of them, one after the other, the last for ever.
class ClientTaskTest : public ClientTest {
 protected:
  ClientTaskTest() {
    capabilities = base::parse_json(R"({"tools":{},"tasks":{"cancel":{},"requests":{"tools":{"call":{}}}}})")->as_object();
  }

  Client& task_client() {
    return client(server([this](FakeTransport& transport, const json::object& message) { play(transport, message); }));
  }

  void play(FakeTransport& transport, const json::object& message) {
    const auto method = base::text_or_empty(message, "method");
    const auto* params = base::object_field(message, "params");
    if (method == "tools/call" && !params->contains("task"))
      return transport.result(message, {{"content", json::array()}, {"plain", true}});
    if (method == "tools/call") return transport.result(message, {{"task", task("working")}});
    if (method == "tasks/get") {
      if (states.empty()) return transport.refuse(message, -32602, "no such task");
      auto state = states.front();
      if (states.size() > 1) states.pop_front();
      return transport.result(message, task(state));
    }
    if (method == "tasks/result") return transport.result(message, {{"content", json::array()}, {"isError", is_error}});
    if (method == "tasks/cancel") transport.result(message, task("cancelled"));
  }

  static json::object task(std::string_view status) {
    return {{"taskId", "t-1"},   {"status", status}, {"ttl", nullptr},
            {"pollInterval", 1}, {"createdAt", "x"}, {"lastUpdatedAt", "x"}};
  }

  UseOutcome use(TaskSupport support, bool in_background) {
    auto& c = task_client();
    UseOutcome outcome;
    auto test = [&]() -> aio::Task<> {
      auto used = co_await c.use(call_of("t", support, in_background));
      outcome = std::move(used);
    };
    run(test());
    return outcome;
  }

  std::deque<std::string> states{"working", "completed"};
  bool is_error = false;
};

TEST_F(ClientTaskTest, OnlyWhatMayBeOneAndShouldBeOneIs) {
  EXPECT_TRUE(use(TaskSupport::optional, false)->contains("plain"));
  io.restart();
  EXPECT_TRUE(use(TaskSupport::forbidden, true)->contains("plain"));
  io.restart();
  EXPECT_EQ(count("tasks/get"), 0);
  EXPECT_FALSE(use(TaskSupport::optional, true)->contains("plain"));
  EXPECT_EQ(count("tasks/get"), 2);
  EXPECT_EQ(count("tasks/cancel"), 0);
  EXPECT_EQ(heard_last("tools/call").at("params").at("task"), (json::object{{"ttl", 86'400'000}}));
}

TEST_F(ClientTaskTest, AServerThatKnowsNoTasksIsNotAskedForOne) {
  capabilities = {{"tools", json::object()}};
  EXPECT_TRUE(use(TaskSupport::required, true)->contains("plain"));
}

TEST_F(ClientTaskTest, AFailedTaskHasItsResult) {
  states = {"failed"};
  is_error = true;
  const auto outcome = use(TaskSupport::required, false);
  EXPECT_TRUE(outcome && outcome->at("isError").as_bool());
}

TEST_F(ClientTaskTest, OneThatTheServerForgetsIsLostAndSaidToBe) {
  states = {};
  const auto outcome = use(TaskSupport::required, false);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(),
            "MCP server 'fake': its task was lost: the server does not know it any more (no such task). The outcome is unknown; "
            "it may have had effects.");
}

TEST_F(ClientTaskTest, OneThatAsksForInputIsCancelled) {
  states = {"working", "input_required"};
  const auto outcome = use(TaskSupport::required, false);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().find("asks for input"), std::string::npos);
  EXPECT_EQ(heard_last("tasks/cancel").at("params").at("taskId"), "t-1");
}

TEST_F(ClientTaskTest, OneThatTheServerCancelsHasNoResult) {
  states = {"cancelled"};
  const auto outcome = use(TaskSupport::required, false);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().find("cancelled by the server"), std::string::npos);
  EXPECT_EQ(count("tasks/result"), 0);
  EXPECT_EQ(count("tasks/cancel"), 0);
}

TEST_F(ClientTaskTest, ItOutlivesTheConnection) {
  auto& c = task_client();
  states = {"working", "working", "working", "completed"};
  auto test = [&]() -> aio::Task<> {
    aio::TaskGroup group(io, [](const std::string&, const std::string&) {});
    auto later = [&]() -> aio::Task<> {
      co_await time.sleep(std::chrono::milliseconds(150));
      last->end("the connection broke");
    };
    group.spawn("later", later());
    const auto outcome = co_await c.use(call_of("t", TaskSupport::required));
    EXPECT_TRUE(outcome) << outcome.error();
    co_await group.join();
  };
  run(test());
  EXPECT_EQ(dials, 2);
}

TEST_F(ClientTaskTest, CancellingTheCallerCancelsTheTask) {
  auto& c = task_client();
  states = {"working"};
  auto test = [&]() -> aio::Task<> {
    aio::Scope scope(io);
    aio::TaskGroup group(io, [](const std::string&, const std::string&) {});
    auto later = [&]() -> aio::Task<> {
      co_await time.sleep(std::chrono::milliseconds(150));
      scope.cancel();
    };
    group.spawn("later", later());
    auto use = c.use(call_of("t", TaskSupport::required));
    EXPECT_FALSE(co_await scope.run(std::move(use)));
    co_await group.join();
  };
  run(test());
  EXPECT_EQ(heard_last("tasks/cancel").at("params").at("taskId"), "t-1");
}

}  // namespace
}  // namespace mcp
