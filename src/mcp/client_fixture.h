#pragma once
// For tests: a server that is a function of the message it gets, and a client of it.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "mcp/client.h"

namespace mcp {

class FakeTransport;
// Looks at one message of the client; answers by the transport's say() and end().
using Play = std::function<void(FakeTransport& transport, const json::object& message)>;

class FakeTransport final : public Transport {
 public:
  FakeTransport(boost::asio::io_context& io, Play play, int& open) : play_(std::move(play)), changed_(io), open_(open) {
    ++open_;
  }
  ~FakeTransport() override { --open_; }

  void say(std::string text) {
    to_client_.push_back(std::move(text));
    changed_.notify_all();
  }
  void result(const json::object& request, json::object result) { say(encode_answer(request.at("id"), result)); }
  void refuse(const json::object& request, int code, std::string message) {
    say(encode_error(request.at("id"), {.code = static_cast<Code>(code), .message = std::move(message)}));
  }
  void too_long() {
    too_long_ = true;
    changed_.notify_all();
  }
  void end(std::string why) {
    why_ = std::move(why);
    changed_.notify_all();
  }

  aio::Task<std::string> listen(Listener& listener) override {
    while (why_.empty()) {
      while (!to_client_.empty()) {
        const auto text = std::move(to_client_.front());
        to_client_.pop_front();
        listener.received(text);
      }
      if (std::exchange(too_long_, false)) listener.received_too_long();
      if (why_.empty() && to_client_.empty()) co_await changed_.wait();
    }
    co_return why_;
  }
  aio::Task<base::Result<>> send(std::string message, Listener&) override {
    if (refuses_) co_return std::unexpected(*refuses_);
    play_(*this, base::parse_json(message)->as_object());
    co_return base::Result<>{};
  }
  bool answers_while_sending() const override { return false; }
  void agreed(std::string_view agreed) override { version = agreed; }
  aio::Task<> close() override {
    closed = true;
    co_return;
  }

  void refuse_all(base::Error error) { refuses_ = std::move(error); }

  std::string version;
  bool closed = false;

 private:
  Play play_;
  std::deque<std::string> to_client_;
  std::string why_;
  std::optional<base::Error> refuses_;
  bool too_long_ = false;
  aio::Notifier changed_;
  int& open_;
};

class ClientTest : public testing::Test {
 protected:
  // What a well-behaved server does with everything but calls.
  Play server(Play on_call) {
    return [this, on_call = std::move(on_call)](FakeTransport& transport, const json::object& message) {
      heard.push_back(message);
      last = &transport;
      const auto method = base::text_or_empty(message, "method");
      if (method == "initialize")
        transport.result(message,
                         {{"protocolVersion", version}, {"capabilities", capabilities}, {"serverInfo", {{"name", "fake"}}}});
      else if (method == "tools/list")
        transport.result(message, {{"tools", tools}});
      else if (on_call && message.contains("id"))
        on_call(transport, message);
    };
  }

  Client& client(Play play, ClientOptions options = {.server = "fake", .call_ms = 2'000}) {
    play_ = std::move(play);
    client_ = std::make_unique<Client>(io, time, std::move(options), [this] {
      ++dials;
      return std::make_unique<FakeTransport>(io, play_, open);
    });
    return *client_;
  }

  // Runs the test to its end, then closes the client. Fails a test that hangs.
  void run(aio::Task<> test) {
    std::exception_ptr failure;
    boost::asio::steady_timer watchdog(io, std::chrono::seconds(20));
    watchdog.async_wait([this](boost::system::error_code ec) {
      if (ec) return;
      ADD_FAILURE() << "the test hangs";
      io.stop();
    });
    boost::asio::co_spawn(io, whole(std::move(test)), [&](std::exception_ptr thrown) {
      failure = thrown;
      watchdog.cancel();
    });
    io.run();
    if (failure) std::rethrow_exception(failure);
    client_.reset();
    EXPECT_EQ(open, 0) << "a transport is left";
  }

  // How often the server heard this.
  std::ptrdiff_t count(std::string_view method) const {
    return std::ranges::count_if(heard, [&](const json::object& m) { return base::text_or_empty(m, "method") == method; });
  }
  const json::object& heard_last(std::string_view method) const {
    const auto at = std::find_if(heard.rbegin(), heard.rend(),
                                 [&](const json::object& m) { return base::text_or_empty(m, "method") == method; });
    if (at == heard.rend()) throw std::runtime_error("never heard " + std::string(method));
    return *at;
  }

  static ToolUse call_of(std::string tool, TaskSupport tasks = TaskSupport::forbidden, bool in_background = false) {
    return {.tool = {.name = std::move(tool), .model_name = "m", .description = "", .schema = "{}", .tasks = tasks},
            .arguments = {{"a", 1}},
            .in_background = in_background};
  }

  boost::asio::io_context io{1};
  aio::SystemTime time{io};
  std::string version = "2025-11-25";
  json::object capabilities{{"tools", json::object()}};
  json::array tools{json::object{{"name", "t"}, {"inputSchema", {{"type", "object"}}}}};
  std::vector<json::object> heard;
  FakeTransport* last = nullptr;
  int dials = 0, open = 0;

 private:
  aio::Task<> whole(aio::Task<> test) {
    std::exception_ptr failure;
    try {
      co_await std::move(test);
    } catch (...) {
      failure = std::current_exception();
    }
    if (client_) co_await client_->close();
    if (failure) std::rethrow_exception(failure);
  }

  Play play_;
  std::unique_ptr<Client> client_;
};

}  // namespace mcp
