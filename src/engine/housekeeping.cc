#include "engine/housekeeping.h"

#include <filesystem>

#include "base/log.h"

namespace engine {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kEveryMs = 3'600'000;
constexpr std::int64_t kDayMs = 86'400'000;

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ec;
  for (auto entry = fs::directory_iterator(directory, ec); !ec && entry != fs::directory_iterator(); entry.increment(ec))
    names.push_back(entry->path().filename());
  return names;
}

}  // namespace

aio::Task<> Housekeeping::run() {
  for (;;) {
    try {
      co_await clean();
    } catch (const base::Broken& error) {
      base::log::error("what is no longer wanted could not be removed", {{"reason", error.what()}});
    }
    co_await aio::wait_for(time_, asked_, std::chrono::milliseconds(kEveryMs));
  }
}

aio::Task<> Housekeeping::clean() {
  if (options_.keep_days)
    while (co_await store_.trim_events(time_.wall_ms() - *options_.keep_days * kDayMs) > 0) {
    }
  co_await remove_outputs();
}

aio::Task<> Housekeeping::remove_outputs() {
  auto look = [this] { return names_in(options_.children_directory); };
  const auto names = co_await files_.run(look);
  for (const auto& name : names) {
    if (co_await is_kept(name)) continue;
    auto remove = [path = options_.children_directory + "/" + name] {
      std::error_code ec;
      fs::remove_all(path, ec);
      return ec.message();
    };
    co_await files_.run(remove);
  }
}

// A directory is made under a run that is in the store, so what is unknown was removed.
aio::Task<bool> Housekeeping::is_kept(const std::string& run_id) {
  const auto run = co_await store_.find_run(run_id);
  co_return run && (run->first_kept == 0 || !run::is_terminal(run->status));
}

}  // namespace engine
