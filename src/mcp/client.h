#pragma once
// A client of one server: connects when it is needed, and again when the server has ended; knows its tools and calls them.
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "aio/notifier.h"
#include "aio/task_group.h"
#include "base/limits.h"
#include "mcp/conversation.h"
#include "mcp/task.h"
#include "mcp/tool_list.h"

namespace mcp {

struct ClientOptions {
  std::string server;                     // its name
  std::vector<std::string> secrets = {};  // parts of its configuration that no text may show
  std::int64_t call_ms = base::limits::kMcpCallMs;
};

struct ToolUse {
  ToolInfo tool;
  json::object arguments;
  bool in_background = false;  // nobody waits in front of it: it becomes a task of the server where that may be
};
// A CallToolResult, or what the model is to be told.
using UseOutcome = std::expected<json::object, std::string>;

// Io thread.
class Client {
 public:
  // Makes a connection that is not yet opened.
  using Dial = std::function<std::unique_ptr<Transport>()>;
  // The references outlive it. Close it before it goes.
  Client(boost::asio::io_context& io, aio::Time& time, ClientOptions options, Dial dial);

  // As the server offers them now. Errc::unavailable: why it cannot be used, in words without secrets. A server that fails again
  // and again is tried again less and less often; a start that takes longer than the caller waits goes on.
  // Waits at most `wait_ms`.
  aio::Task<base::Result<std::shared_ptr<const ToolList>>> tools(std::int64_t wait_ms = base::limits::kMcpConnectMs);

  // Begins to connect, so that tools() need not wait so long.
  void prepare();

  // One call. Made again by itself only where the server has certainly not taken it. Cancelling the awaiting task cancels it
  // there.
  aio::Task<UseOutcome> use(ToolUse use);

  // Nothing of it goes on afterwards, the server's process included.
  aio::Task<> close();

 private:
  using Live = std::shared_ptr<Conversation>;
  aio::Task<base::Result<Live>> connected(std::int64_t wait_ms);
  aio::Task<> connect();
  aio::Task<base::Result<>> begin(Conversation& conversation);
  aio::Task<base::Result<>> list(Conversation& conversation);
  aio::Task<> list_again(Live live);
  bool is_live();
  void note_failure(std::string why);

  // client_task.cc
  class TaskGuard;
  aio::Task<UseOutcome> follow(TaskState task);
  aio::Task<UseOutcome> fetch(TaskState task);
  aio::Task<> cancel_task(std::string task_id);

  // For what may be asked twice.
  aio::Task<Reply> ask(std::string method, json::object params, std::int64_t ms);
  std::unexpected<std::string> words(const RequestFailure& failure) const;
  std::unexpected<std::string> said(std::string_view text) const;

  boost::asio::io_context& io_;
  aio::Time& time_;
  const ClientOptions options_;
  const Dial dial_;
  Live live_, opening_;
  bool takes_tasks_ = false;  // of the live conversation
  std::shared_ptr<const ToolList> list_;
  bool connecting_ = false, listing_ = false, closed_ = false;
  std::int64_t failures_ = 0, next_try_ms_ = 0, live_since_ms_ = 0;  // steady
  std::string why_;                                                  // the last failure
  aio::Notifier changed_;
  aio::TaskGroup tasks_;
};

}  // namespace mcp
