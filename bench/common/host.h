#pragma once
// One process as `outlast serve` is inside: the io loop on a thread of its own, the real store, readers and, where asked, the
// real routes on a loopback port. The measuring thread stays outside.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "aio/time.h"
#include "base/clock.h"
#include "store/store.h"

namespace bench {

class Host {
 public:
  // Opens (or makes) the store of `home`; executes nothing by itself.
  explicit Host(const std::string& home);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Runs a task on the loop and waits for its result. Never from the loop itself.
  template <class T>
  T run(aio::Task<T> task) {
    return boost::asio::co_spawn(io, std::move(task), boost::asio::use_future).get();
  }
  // The AgentOS routes, with the agent `demo`, on a port that the system chooses.
  std::uint16_t serve();

  boost::asio::io_context io{1};
  store::Store& store() const;
  aio::Time& time() const;
  store::OwnerNumber owner() const;  // the lease that launched runs are claimed for

 private:
  struct Parts;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io.get_executor()};
  std::unique_ptr<Parts> parts_;
  std::thread thread_;
};

// A run that a measurement appends to by itself.
struct LiveRun {
  store::RunNumber number = 0;
  std::string run_id;
  std::uint64_t next = 0;  // index of its next event
};

inline constexpr std::string_view kAgent = "demo";
inline constexpr std::size_t kEventBytes = 336;  // of measured-limits.md: one text delta as it is stored

// Launches `count` runs of the agent `demo`, claimed for this host; `input` is what an executor would be asked.
std::vector<LiveRun> launch_runs(Host& host, std::size_t count, const std::string& input);

// `count` stored lines of text deltas of kEventBytes each, or as short as a model's token.
std::string event_lines(std::uint32_t count, std::size_t bytes_each = kEventBytes);

// Appends and moves run.next; a refusal throws. Io thread.
aio::Task<> append(Host& host, LiveRun& run, std::string lines, std::uint32_t count);
// The run's last event, with which it is COMPLETED. Io thread.
aio::Task<> complete(Host& host, LiveRun& run);
// Does `work` for all runs on the io thread, at most `together` of them at once.
void for_all(Host& host, std::vector<LiveRun>& runs, std::size_t together, aio::Task<> (*work)(Host&, LiveRun&));

}  // namespace bench
