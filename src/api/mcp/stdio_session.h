#pragma once
// The conversation with one client whose messages are lines: decodes each, performs requests side by side, answers through a sink.
#include <string>
#include <string_view>

#include "aio/task_group.h"
#include "api/context.h"
#include "api/mcp/call.h"
#include "api/mcp/under_way.h"

namespace api::mcp {

class StdioSession {
 public:
  // `session_id`: whose tasks the client sees. `context` and `out` outlive it. Join it before it goes.
  StdioSession(Context& context, std::string session_id, Sink& out);

  // One line, without newline. Io thread.
  void take(std::string_view line);
  // A line that was longer than kMcpMessageBytesMax.
  void take_too_long();

  // Waits while so much is to be answered that no more should be read: a client that does not read its answers.
  aio::Task<> room();

  // The client has left: what waits is cut and not answered.
  void give_up() { calls_.give_up_all(); }
  // Waits until all that was asked is answered.
  aio::Task<> join() { return tasks_.join(); }

 private:
  void take_message(Message message);
  void take_request(Message message);
  void tell(std::string text);
  aio::Task<> send(std::string text);
  aio::Task<std::string> perform(Message message, Caller caller, Call& call);
  aio::Task<> answer_request(Message message, Caller caller);
  aio::Task<> answer_batch(Decoded decoded);

  Context& context_;
  const std::string session_id_;
  Sink& out_;
  std::string version_ = std::string(kWithTasks);  // as it was negotiated
  UnderWay calls_;
  aio::TaskGroup tasks_;
};

}  // namespace api::mcp
