#pragma once
// A request under way: who makes it, and what is told to its client before its answer.
#include <string>

#include "aio/notifier.h"
#include "aio/scope.h"
#include "api/mcp/protocol.h"
#include "api/mcp/revision.h"
#include "tool/tasks.h"

namespace api::mcp {

struct Caller {
  std::string version = std::string(kWithTasks);
  std::string session_id = {};  // whose tasks it sees; another session's are not found
  bool takes_tasks = false;     // 2026-07-28: said with this request
  bool is_stateless() const { return version == kStateless; }
  bool knows_tasks() const { return is_stateless() ? takes_tasks : version == kWithTasks; }
};

// Where messages go that come before a request's answer. Io thread.
class Sink {
 public:
  virtual ~Sink() = default;
  // One whole message. False: the client is gone.
  virtual aio::Task<bool> send(std::string message) = 0;
  // Nothing to say for a while: keeps what lies between from giving up.
  virtual aio::Task<> keep_alive() = 0;
};

// Io thread; outlives the request's task.
struct Call {
  Call(boost::asio::io_context& io, Sink& s) : waits(io), sink(s) {}
  // Cut when the client gives the request up. Only its waits: what was started is durable and goes on.
  aio::Scope waits;
  Sink& sink;
};

// The tasks of the process for one call: a wait ends early, with what is known, when the call's waits are cut.
class CallTasks final : public tool::Tasks {
 public:
  // Both outlive it.
  CallTasks(tool::Tasks& inner, Call& call) : inner_(inner), call_(call) {}
  aio::Task<base::Result<tool::TaskView>> launch(const tool::Context& caller, tool::TaskLaunch launch) override;
  aio::Task<base::Result<tool::TaskView>> find(const tool::Context& caller, std::string task_id) override;
  aio::Task<std::vector<tool::TaskView>> list(const tool::Context& caller) override;
  aio::Task<std::vector<tool::TaskView>> wait(const tool::Context& caller, std::vector<std::string> task_ids, Until until,
                                              std::int64_t until_ms) override;
  aio::Task<base::Result<tool::TaskView>> cancel(const tool::Context& caller, std::string task_id) override;
  aio::Task<base::Result<tool::TaskView>> promote(const tool::Context& caller, std::string task_id) override;
  aio::Task<> end_awaited(std::string session_id, std::string run_id) override;
  aio::Task<base::Result<tool::Sighting>> scan(const tool::TaskView& task, std::string pattern, tool::ScanFrom from) override;
  aio::Task<base::Result<json::object>> output(const tool::TaskView& task, std::size_t tail_lines) override;
  aio::Task<base::Result<>> send(const tool::TaskView& task, json::object request) override;

 private:
  tool::Tasks& inner_;
  Call& call_;
};

}  // namespace api::mcp
