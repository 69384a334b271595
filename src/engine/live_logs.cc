#include "engine/live_logs.h"

#include <algorithm>

#include "base/limits.h"

namespace engine {

namespace limits = base::limits;

void LiveLogs::grown(const std::vector<store::Growth>& growth) {
  if (growth.empty()) {
    for (const auto& [run, tail] : tails_) {
      tail->looked_from = Tail::kNowhere;
      ++tail->turns;
      tail->changed.notify_all();
    }
    ++ends_, ended_.notify_all();
    for (const auto& [session, watched] : watched_) ++watched->begun, watched->changed.notify_all();
    return;
  }
  const auto ends = [](const store::Growth& piece) { return piece.status && run::is_terminal(*piece.status); };
  if (std::ranges::any_of(growth, ends)) ++ends_, ended_.notify_all();
  for (const auto& piece : growth) {
    if (const auto watched = piece.slice.first ? watched_.end() : watched_.find(piece.session); watched != watched_.end())
      ++watched->second->begun, watched->second->changed.notify_all();
    const auto at = tails_.find(piece.run);
    if (at == tails_.end()) continue;
    auto& tail = *at->second;
    if (piece.status) ++tail.turns, tail.status = piece.status;
    if (piece.slice.end() <= tail.head) continue;
    add(tail, piece.slice);
    tail.head = piece.slice.end();
    tail.changed.notify_all();
  }
}

void LiveLogs::tick() {
  for (const auto& [run, tail] : tails_) tail->changed.notify_all();
  for (const auto& [session, watched] : watched_) watched->changed.notify_all();
}

// Other processes' commits are looked at only where somebody reads.
void LiveLogs::watch_where_needed() { store_.watch_log(!tails_.empty() || !watched_.empty()); }

void LiveLogs::add(Tail& tail, const store::Slice& slice) {
  if (!tail.blocks.empty() && tail.blocks.back()->slice.end() != slice.first) {
    // A sealed or partly known piece: what is kept must stay consecutive, so it starts anew here.
    tail.blocks.clear();
    tail.bytes = 0;
  }
  tail.blocks.push_back(std::make_shared<const Block>(Block{slice, {}}));
  tail.bytes += slice.lines->size();
  while (tail.bytes > limits::kLiveCacheBytesPerRun && tail.blocks.size() > 1) {
    tail.bytes -= tail.blocks.front()->slice.lines->size();
    tail.blocks.pop_front();
  }
}

std::shared_ptr<const Block> LiveLogs::cached(const Tail& tail, std::uint64_t cursor) {
  if (tail.blocks.empty() || cursor < tail.blocks.front()->slice.first || cursor >= tail.blocks.back()->slice.end()) return nullptr;
  const auto after = std::ranges::upper_bound(tail.blocks, cursor, {}, [](const auto& block) { return block->slice.first; });
  return *std::prev(after);
}

LiveLogs::Reader::Reader(LiveLogs& logs, store::RunNumber run)
    : logs_(logs), run_(run), tail_([&]() -> Tail& {
        auto& slot = logs.tails_[run];
        if (!slot) slot = std::make_unique<Tail>(logs.io_);
        return *slot;
      }()) {
  ++tail_.readers;
  ++logs_.counters_.readers;
  logs_.watch_where_needed();
}

LiveLogs::Reader::~Reader() {
  --logs_.counters_.readers;
  if (--tail_.readers == 0) logs_.tails_.erase(run_);
  logs_.watch_where_needed();
}

// One reader looks for all who wait; where it is cut off, another must.
struct LiveLogs::Looking {
  // Before the read: what is committed after it is told by grown().
  Looking(Tail& of, std::uint64_t cursor) : tail(of) { tail.looked_from = std::min(tail.looked_from, cursor); }
  ~Looking() {
    if (ended) return;
    tail.looked_from = Tail::kNowhere;
    tail.changed.notify_all();
  }
  Looking(const Looking&) = delete;
  Looking& operator=(const Looking&) = delete;
  Tail& tail;
  bool ended = false;
};

aio::Task<std::shared_ptr<const Block>> LiveLogs::Reader::read(std::uint64_t cursor) {
  if (auto block = cached(tail_, cursor)) {
    ++logs_.counters_.cached_reads;
    co_return block;
  }
  if (cursor >= tail_.head && cursor >= tail_.looked_from) co_return nullptr;
  Looking looking(tail_, cursor);
  ++logs_.counters_.log_reads;
  const auto known = tail_.head;
  const auto slice = co_await logs_.store_.read(run_, cursor);
  looking.ended = true;
  if (!slice.count) {
    lost_ = known > cursor;
    co_return nullptr;
  }
  if (slice.end() > tail_.head) {
    tail_.head = slice.end();
    tail_.looked_from = Tail::kNowhere;  // a read is bounded: there may be more behind it
    tail_.changed.notify_all();          // others found nothing meanwhile because this one was looking
  }
  co_return std::make_shared<const Block>(Block{slice, {}});
}

std::optional<run::Event> LiveLogs::Reader::completion() const {
  if (tail_.status != run::Status::completed || tail_.blocks.empty()) return std::nullopt;
  const auto& slice = tail_.blocks.back()->slice;
  if (!slice.lines || slice.end() != tail_.head) return std::nullopt;
  auto lines = std::string_view(*slice.lines);
  if (lines.ends_with('\n')) lines.remove_suffix(1);
  auto event = run::decode(lines.substr(lines.rfind('\n') + 1));  // npos + 1: the only one
  if (!event) return std::nullopt;
  return *std::move(event);
}

aio::Task<> LiveLogs::Reader::wait(std::uint64_t cursor) {
  if (cursor < tail_.looked_from || tail_.head > cursor) co_return;
  co_await tail_.changed.wait();
}

aio::Task<> LiveLogs::Reader::wait(std::uint64_t cursor, std::chrono::milliseconds limit) {
  if (cursor < tail_.looked_from || tail_.head > cursor) co_return;
  co_await aio::wait_for(logs_.time_, tail_.changed, limit);
}

LiveLogs::SessionWatch::SessionWatch(LiveLogs& logs, store::SessionNumber session)
    : logs_(logs), session_(session), watched_([&]() -> Watched& {
        auto& slot = logs.watched_[session];
        if (!slot) slot = std::make_unique<Watched>(logs.io_);
        return *slot;
      }()) {
  ++watched_.watches;
  ++logs_.counters_.readers;
  logs_.watch_where_needed();
}

LiveLogs::SessionWatch::~SessionWatch() {
  --logs_.counters_.readers;
  if (--watched_.watches == 0) logs_.watched_.erase(session_);
  logs_.watch_where_needed();
}

aio::Task<> LiveLogs::SessionWatch::wait(std::uint64_t seen) {
  if (watched_.begun == seen) co_await watched_.changed.wait();
}

}  // namespace engine
