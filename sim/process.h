#pragma once
// One simulated process: the real executor, readers and store on virtual time. It is run handler by handler, so that it can be
// killed or stopped between any two of them.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "aio/task_group.h"
#include "engine/executor.h"
#include "net/http_client.h"
#include "sim/script.h"
#include "sim/sim_backend.h"
#include "sim/sim_time.h"

namespace sim {

struct Identity {
  std::int64_t slot = 0, incarnation = 0;
  std::string host;
  bool able = true;  // has the model provider that runs ask for
};

class Process {
 public:
  // `around` and `calm` outlive it.
  Process(const Surroundings& around, const Identity& identity, std::shared_ptr<Life> life, const bool& calm);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Runs one handler; false: none was ready.
  bool run_one() { return io_.poll_one() > 0; }
  // On behalf of a client. Ends, by cancellation, with the process.
  void serve(const char* what, aio::Task<> task);
  // A graceful end: hands its runs over.
  void stop(std::int64_t grace_ms);
  // After life's end: unwinds all that is left. Touches nothing that lives.
  void bury();

  bool serving() const { return booted_ && !leaving_ && !life_->dead(); }
  bool leaving() const { return leaving_; }
  // Nothing of it runs any more; it may be destroyed.
  bool gone() const { return left_ && own_.size() == 0; }
  Life& life() { return *life_; }
  const Identity& identity() const { return identity_; }
  engine::Executor& executor() { return executor_; }
  engine::LiveLogs& logs() { return logs_; }
  store::Store& store() { return *store_; }
  aio::Time& time() { return time_; }
  SimBackend& backend() { return *backend_; }

 private:
  std::unique_ptr<store::Store> make_store(const Surroundings& around);
  aio::Task<> boot();
  aio::Task<> leave(std::int64_t grace_ms);

  const Identity identity_;
  const std::shared_ptr<Life> life_;
  Surroundings around_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  SimTime time_;
  Random random_;
  SimBackend* backend_ = nullptr;  // the store's
  std::unique_ptr<store::Store> store_;
  engine::Counters counters_;
  engine::LiveLogs logs_;
  net::HttpClient http_;
  const Caller caller_;
  llm::Registry models_;
  tool::Toolbox tools_;
  engine::Deps deps_;
  engine::Executor executor_;
  bool booted_ = false, leaving_ = false, left_ = false;
  aio::TaskGroup serving_;  // for clients
  aio::TaskGroup own_;      // its beginning and its end
};

}  // namespace sim
