#pragma once
// What nobody wants any more: events beyond the declared retention, and the output of commands whose run was removed or has
// given up its events. Every server of a home does it; that two do it at once is harmless.
#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>

#include "aio/notifier.h"
#include "aio/offload.h"
#include "aio/time.h"
#include "store/store.h"

namespace engine {

struct HousekeepingOptions {
  std::optional<std::int64_t> keep_days;  // none: events are kept for ever
  std::string children_directory;         // a directory per run that has run commands
};

class Housekeeping {
 public:
  // All references outlive the task of run(). Io thread.
  Housekeeping(boost::asio::io_context& io, store::Store& store, aio::Time& time, aio::Offload& files, HousekeepingOptions options)
      : store_(store), time_(time), files_(files), options_(std::move(options)), asked_(io) {}

  // Now, every hour, and when runs were removed; until it is cancelled.
  aio::Task<> run();
  void runs_removed() { asked_.notify_all(); }

 private:
  aio::Task<> clean();
  aio::Task<> remove_outputs();
  aio::Task<bool> is_kept(const std::string& run_id);

  store::Store& store_;
  aio::Time& time_;
  aio::Offload& files_;
  const HousekeepingOptions options_;
  aio::Notifier asked_;
};

}  // namespace engine
