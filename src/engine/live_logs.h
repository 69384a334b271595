#pragma once
// Readers of logs: each holds a cursor and pulls. Recent blocks of runs that have readers are kept in memory, so that one
// commit is told to all of them without a read; whoever is behind reads from the store. No queue per reader exists.
#include <any>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "aio/notifier.h"
#include "aio/time.h"
#include "engine/counters.h"
#include "store/store.h"

namespace engine {

// A piece of a log that several readers share, with room for what an encoder makes of it once for all of them.
struct Block {
  store::Slice slice;
  // By an encoder's own address; filled on first use on the io thread.
  mutable std::map<const void*, std::any> encoded;
};

class LiveLogs {
 public:
  LiveLogs(boost::asio::io_context& io, aio::Time& time, store::Store& store, Counters& counters)
      : io_(io), time_(time), store_(store), counters_(counters), ended_(io) {}

  // Called by the store's listener.
  void grown(const std::vector<store::Growth>& growth);
  // Notified when a run has ended: any of this process, and others' while somebody reads.
  aio::Notifier& ended() { return ended_; }
  std::uint64_t ends() const { return ends_; }  // grows with each notification
  // Wakes every reader without news, so that it can send a keep-alive.
  void tick();
  boost::asio::io_context& io() const { return io_; }

 private:
  struct Tail {
    explicit Tail(boost::asio::io_context& io) : changed(io) {}
    std::deque<std::shared_ptr<const Block>> blocks;  // consecutive
    std::size_t bytes = 0;
    std::uint64_t head = 0;     // events known to be committed: at least this many
    // From here on nothing was in the store, or somebody is looking; besides, grown() tells.
    std::uint64_t looked_from = kNowhere;
    static constexpr std::uint64_t kNowhere = UINT64_MAX;
    aio::Notifier changed;
    std::size_t readers = 0;
    std::uint64_t turns = 0;
    std::optional<run::Status> status;  // as the last event that changed it said, where that was heard of
  };
  struct Looking;

 public:
  // One reader of one run. Io thread; must not outlive the LiveLogs.
  class Reader {
   public:
    Reader(LiveLogs& logs, store::RunNumber run);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // A block that holds event `cursor` (it may begin before it), or nothing when that is not committed yet.
    aio::Task<std::shared_ptr<const Block>> read(std::uint64_t cursor);
    // The same without a read from the store: nothing where that would be needed.
    std::shared_ptr<const Block> recent(std::uint64_t cursor) const { return cached(tail_, cursor); }
    // After read() gave nothing: events from the cursor on were committed and are there no more; the run was removed.
    bool lost() const { return lost_; }
    // Grows whenever the run's status has changed, or may have: whoever notes it and looks at the run misses no end.
    std::uint64_t turns() const { return tail_.turns; }
    // The last event of a run that was heard to complete, where it is still in memory.
    std::optional<run::Event> completion() const;
    // Ends the wait of this run's readers.
    void wake() { tail_.changed.notify_all(); }
    // Waits for a change: growth, a tick, or nothing at all; the caller reads again. Does not wait while read() may find more.
    aio::Task<> wait(std::uint64_t cursor);
    // The same, but not longer than `limit`.
    aio::Task<> wait(std::uint64_t cursor, std::chrono::milliseconds limit);

   private:
    LiveLogs& logs_;
    store::RunNumber run_;
    Tail& tail_;
    bool lost_ = false;
  };

 private:
  struct Watched {
    explicit Watched(boost::asio::io_context& io) : changed(io) {}
    std::uint64_t begun = 0;  // runs, and occasions on which some may have been missed
    aio::Notifier changed;
    std::size_t watches = 0;
  };

 public:
  // Hears of runs that begin in a session: for readers that are at its end. Io thread; must not outlive the LiveLogs.
  class SessionWatch {
   public:
    SessionWatch(LiveLogs& logs, store::SessionNumber session);
    ~SessionWatch();
    SessionWatch(const SessionWatch&) = delete;
    SessionWatch& operator=(const SessionWatch&) = delete;

    // Whoever notes it, looks, and then waits with it misses nothing.
    std::uint64_t begun() const { return watched_.begun; }
    // Waits for a run that begins, a tick, or nothing at all. Does not wait where one has begun since `seen`.
    aio::Task<> wait(std::uint64_t seen);
    void wake() { watched_.changed.notify_all(); }

   private:
    LiveLogs& logs_;
    store::SessionNumber session_;
    Watched& watched_;
  };

 private:
  void watch_where_needed();
  void add(Tail& tail, const store::Slice& slice);
  static std::shared_ptr<const Block> cached(const Tail& tail, std::uint64_t cursor);

  boost::asio::io_context& io_;
  aio::Time& time_;
  store::Store& store_;
  Counters& counters_;
  aio::Notifier ended_;
  std::uint64_t ends_ = 0;
  std::unordered_map<store::RunNumber, std::unique_ptr<Tail>> tails_;
  std::unordered_map<store::SessionNumber, std::unique_ptr<Watched>> watched_;
};

}  // namespace engine
