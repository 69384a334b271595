#include "process/children.h"

#include <unistd.h>

#include <boost/asio/this_coro.hpp>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "base/failpoint.h"
#include "base/json.h"
#include "base/text.h"
#include "process/cgroup.h"
#include "process/shim_link.h"
#include "process/spawn_shim.h"
#include "process/tree.h"

namespace process {

namespace {

constexpr std::int64_t kStepMs = 4;        // between two looks at a shim that is starting
constexpr std::int64_t kClaimMs = 10'000;  // a spawned shim that has claimed nothing by then is not coming
constexpr int kSpawnsMax = 3;
constexpr std::int64_t kSweepMs = 5'000;  // how long the rest of a dead shim's tree may take to die
constexpr std::int64_t kKillMs = 30'000;  // a process in uninterruptible sleep outlives every signal

std::string request(std::string_view op, std::int64_t epoch) {
  return base::to_text(boost::json::object{{"op", op}, {"epoch", epoch}});
}

bool says(const std::string& line, std::string_view key, std::string_view value) {
  const auto parsed = base::parse_json(line);
  return parsed && parsed->is_object() && base::text_or_empty(parsed->get_object(), key) == value;
}

std::unexpected<base::Error> stale() { return base::fail(base::Errc::lease_lost, "a later executor owns the child"); }

}  // namespace

ChildDirectory Children::directory(const ChildKey& key) const {
  return ChildDirectory(root_ + "/" + key.run_id + "/" + base::sha256_hex(key.call_id).substr(0, 16));
}

std::vector<std::int64_t> Children::living(const std::string& root, const std::string& run_id) {
  std::vector<std::int64_t> pids;
  std::error_code ec;
  for (std::filesystem::directory_iterator at(root + "/" + run_id, ec), end; !ec && at != end; at.increment(ec)) {
    const ChildDirectory child(at->path().string());
    if (const auto process = child.process(); process && base::lives(*process)) pids.push_back(process->pid);
  }
  return pids;
}

// Spawns a shim where none has claimed the child, and waits until one has.
aio::Task<base::Result<base::ProcessIdentity>> Children::find_owner(const ChildDirectory& child, const ChildSpec& spec) {
  auto prepare = [&child, &spec] {
    if (auto owner = child.owner(); owner || owner.error().code != base::Errc::unavailable) return owner;
    child.make(spec);
    return child.owner();
  };
  auto owner = co_await files_.run(prepare);
  base::failpoint("child.before_spawn");
  for (int spawns = 0; !owner && owner.error().code == base::Errc::unavailable && spawns < kSpawnsMax; ++spawns) {
    auto spawn = [&child, &spec, spawns] { return spawn_shim(child.path(), spawns ? Spawn::again : Spawn::first, spec.inherits); };
    const auto shim = co_await files_.run(spawn);
    if (!shim) throw base::Broken("the shim of " + child.path() + " cannot be started: " + std::strerror(shim.error()));
    base::failpoint("child.after_spawn");
    const auto until = time_.steady_ms() + kClaimMs;
    while (!owner && owner.error().code == base::Errc::unavailable && time_.steady_ms() < until) {
      co_await time_.sleep(std::chrono::milliseconds(kStepMs));
      // Asked before the look: one that is gone has claimed what it will ever claim.
      const bool gone = !base::identity_of(*shim);
      owner = child.owner();
      if (gone) break;
    }
  }
  if (!owner && owner.error().code == base::Errc::unavailable)
    throw base::Broken("no shim takes " + child.path() + "; see shim.log there");
  co_return owner;
}

aio::Task<base::Result<Ended>> Children::run(ChildKey key, ChildSpec spec) {
  const auto child = directory(key);
  const auto owner = co_await find_owner(child, spec);
  if (!owner) co_return base::fail(base::Errc::cancelled, "it was ended before it began");
  for (;;) {
    if (auto ended = child.ended()) co_return std::move(*ended);
    // Asked before the last look at the end: an owner that is gone has written what it had to write.
    const bool owned = base::lives(*owner);
    if (auto ended = child.ended()) co_return std::move(*ended);
    if (!owned) break;
    ShimLink link(io_);
    if (link.connect(child)) {
      co_await link.send(request("attach", key.epoch));
      while (const auto line = co_await link.receive()) {
        if (says(*line, "error", "stale epoch")) co_return stale();
        if (says(*line, "event", "ended")) break;
      }
    }
    co_await time_.sleep(std::chrono::milliseconds(kStepMs));
  }
  co_await sweep(child);
  const Ended lost{.cause = Cause::lost, .exit_code = {}, .message = "the process that owned it died"};
  auto tell = [&child, &lost] { child.write(kEndFile, encode(lost)); };
  co_await files_.run(tell);
  co_return lost;
}

aio::Task<base::Result<>> Children::send(ChildKey key, boost::json::object request) {
  const auto child = directory(key);
  ShimLink link(io_);
  if (child.ended() || !link.connect(child)) co_return base::fail(base::Errc::already_finished, "its process is not running");
  request["epoch"] = key.epoch;
  co_await link.send(base::to_text(request));
  const auto line = co_await link.receive();
  if (!line) co_return base::fail(base::Errc::already_finished, "its process has just ended");
  if (says(*line, "error", "stale epoch")) co_return stale();
  const auto answer = base::parse_json(*line);
  const auto error = answer && answer->is_object() ? base::text_or_empty(answer->get_object(), "error") : std::string();
  if (!error.empty()) co_return base::fail(base::Errc::unsupported, error);
  co_return base::Result<>{};
}

aio::Task<base::Result<>> Children::kill(ChildKey key) { co_return co_await kill_in(directory(key), key.epoch); }

aio::Task<base::Result<>> Children::kill_in(ChildDirectory child, std::int64_t epoch) {
  auto owner = child.owner();
  if (!owner && owner.error().code == base::Errc::unavailable) {
    // Nothing has begun: the claim is taken so that nothing will, whoever spawned a shim meanwhile.
    auto close = [&child] {
      if (access(child.path().c_str(), F_OK) == 0) child.claim(kClosedClaim);
      return child.owner();
    };
    owner = co_await files_.run(close);
  }
  if (!owner) co_return base::Result<>{};
  const auto until = time_.steady_ms() + kKillMs;
  while (base::lives(*owner)) {
    if (time_.steady_ms() > until)
      co_return base::fail(base::Errc::timed_out, "processes of " + child.path() + " cannot be killed");
    ShimLink link(io_);
    if (link.connect(child)) {
      co_await link.send(request("kill", epoch));
      while (const auto line = co_await link.receive())
        if (says(*line, "error", "stale epoch")) co_return stale();
    }
    co_await time_.sleep(std::chrono::milliseconds(kStepMs));
  }
  if (!child.ended()) co_await sweep(child);
  co_return base::Result<>{};
}

// Ends what a dead owner left behind, found by its environment.
aio::Task<> Children::sweep(const ChildDirectory& child) {
  const auto tag = std::string(kTagVariable) + "=" + child.path();
  const auto until = time_.steady_ms() + kSweepMs;
  for (;;) {
    auto end_all = [&tag, &child] {
      const auto cgroup = child.read(kCgroupFile);
      if (cgroup) Cgroup(*cgroup).kill();
      const auto left = with_environment(tag, getpid());
      signal_all(left, SIGKILL);
      if (left.empty() && cgroup) Cgroup(*cgroup).remove();
      return left.empty();
    };
    const bool gone = co_await files_.run(end_all);
    if (gone || time_.steady_ms() > until) co_return;
    co_await time_.sleep(std::chrono::milliseconds(kStepMs));
  }
}

aio::Task<base::Result<>> Children::kill_all(std::string run_id, std::int64_t epoch) {
  namespace fs = std::filesystem;
  auto list = [this, &run_id] {
    std::vector<std::string> found;
    std::error_code ec;
    for (fs::directory_iterator at(root_ + "/" + run_id, ec), end; !ec && at != end; at.increment(ec))
      found.push_back(at->path().string());
    return found;
  };
  const auto found = co_await files_.run(list);
  base::Result<> result;
  for (const auto& path : found) {
    auto killed = co_await kill_in(ChildDirectory(path), epoch);
    if (!killed) result = std::move(killed);
  }
  co_return result;
}

}  // namespace process
