#pragma once
// One connection with a server: which answer belongs to which request, and what is said to the server's own requests.
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "aio/scope.h"
#include "aio/task_group.h"
#include "mcp/json_rpc.h"
#include "mcp/transport.h"

namespace mcp {

// Why a request has no result.
struct RequestFailure {
  enum class Kind {
    refused,    // the server says so: code and message are its own
    not_taken,  // it was not handed over: nothing has happened
    timed_out,  // no answer in time; the server was told that none is wanted any more
    lost,       // the answer will not come: it may have been performed
  };
  Kind kind = Kind::lost;
  std::string message = {};
  Code code = Code::internal_error;  // of a refusal
};
using Reply = std::expected<json::object, RequestFailure>;

// Io thread. Owned by whoever uses it and by its own tasks.
class Conversation final : public Listener, public std::enable_shared_from_this<Conversation> {
 public:
  // The references outlive it.
  Conversation(boost::asio::io_context& io, aio::Time& time, aio::TaskGroup& tasks, std::unique_ptr<Transport> transport);

  // Listens until it is over, then closes the transport. Once, as a task of the group.
  static aio::Task<> hold(std::shared_ptr<Conversation> self);

  // Cancelling the awaiting task tells the server that the answer is not wanted any more.
  aio::Task<Reply> request(std::string method, json::object params, std::int64_t ms);
  // A message that is no request.
  aio::Task<> notify(std::string text);
  void agreed(std::string_view version) { transport_->agreed(version); }

  // Ends it; requests under way are lost, for this reason.
  void hang_up(std::string why);
  bool is_over() const { return over_; }
  const std::string& why() const { return why_; }

  // Whether the server has said, since this was asked last, that its tools have changed.
  bool tools_changed() { return std::exchange(tools_changed_, false); }

  void received(std::string_view text) override;
  void received_too_long() override;

 private:
  struct Pending;
  class Entry;
  aio::Task<> deliver(std::string text, Pending& pending);
  static aio::Task<> settled(Pending& pending);
  void take(Message message);
  void take_answer(const Message& message);
  void answer(const Message& message);
  void say(std::string text);
  static aio::Task<> saying(std::shared_ptr<Conversation> self, std::string text);
  void give_up(std::int64_t id);
  void lose_all(const std::string& why);

  boost::asio::io_context& io_;
  aio::Time& time_;
  aio::TaskGroup& tasks_;
  const std::unique_ptr<Transport> transport_;
  aio::Scope listening_;
  std::map<std::int64_t, Pending*> pending_;
  std::int64_t next_id_ = 1;
  std::size_t saying_ = 0, noise_ = 0;
  bool over_ = false, tools_changed_ = false;
  std::string why_;
};

}  // namespace mcp
