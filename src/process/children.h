#pragma once
// Child processes as an executor sees them: by the run and the call that they belong to. They are started once, whatever
// crashes in between, found again by whoever executes the run next, and gone when kill() has come back.
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "aio/offload.h"
#include "aio/task.h"
#include "aio/time.h"
#include "process/child_directory.h"

namespace process {

// Which child, and under which lease it is spoken to: a lower epoch than the child has met is refused.
struct ChildKey {
  std::string run_id;   // a valid run id
  std::string call_id;  // any text
  std::int64_t epoch = 0;
};

class Children {
 public:
  // `root`: a directory of this home (<home>/children). `files` and the rest outlive this object and its tasks.
  Children(boost::asio::io_context& io, aio::Time& time, aio::Offload& files, std::string root)
      : io_(io), time_(time), files_(files), root_(std::move(root)) {}

  // Where the child of a key lives; its output lies there until the run is removed.
  ChildDirectory directory(const ChildKey& key) const;

  // The numbers of processes that run as children of a run now, whoever owns them. Blocks for a moment.
  static std::vector<std::int64_t> living(const std::string& root, const std::string& run_id);

  // Starts the child, or finds the one that an earlier attempt started, and waits until it has ended; its own children may
  // live on. Cancelling the awaiting task leaves the child alone. Io thread. Errc::cancelled: it was closed before it began;
  // Errc::lease_lost: a later executor speaks to it. Ended{Cause::lost} where its owner died without a word: what is left of
  // its tree is gone then. Throws base::Broken.
  aio::Task<base::Result<Ended>> run(ChildKey key, ChildSpec spec);

  // Ends the whole tree (SIGTERM, a second later SIGKILL) and comes back when it is gone; one that never began never will.
  // Errc::lease_lost as above; Errc::timed_out: something could not be killed.
  aio::Task<base::Result<>> kill(ChildKey key);

  // A request to a child under way: {"op":"input","data":...}, end_input, signal, resize (child-directory.md). Comes back when the
  // shim has taken it. Errc::already_finished, lease_lost, unsupported: the shim says why not.
  aio::Task<base::Result<>> send(ChildKey key, boost::json::object request);

  // Kills what the run's children left behind, and closes those that never began. Errors as kill.
  aio::Task<base::Result<>> kill_all(std::string run_id, std::int64_t epoch);

 private:
  aio::Task<base::Result<base::ProcessIdentity>> find_owner(const ChildDirectory& child, const ChildSpec& spec);
  aio::Task<base::Result<>> kill_in(ChildDirectory child, std::int64_t epoch);
  aio::Task<> sweep(const ChildDirectory& child);

  boost::asio::io_context& io_;
  aio::Time& time_;
  aio::Offload& files_;
  const std::string root_;
};

}  // namespace process
