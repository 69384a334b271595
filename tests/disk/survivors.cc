#include "tests/disk/survivors.h"

#include <algorithm>
#include <fstream>
#include <unordered_map>

#include "base/error.h"

namespace disk {

namespace {

constexpr std::int64_t kSectorBytes = 512;  // written whole or not at all

void put(std::string& content, std::int64_t offset, std::string_view bytes) {
  const auto at = static_cast<std::size_t>(offset);
  if (content.size() < at + bytes.size()) content.resize(at + bytes.size());
  content.replace(at, bytes.size(), bytes);
}

void apply(std::string& content, const Entry& entry) {
  if (entry.kind == Entry::Kind::truncate)
    content.resize(static_cast<std::size_t>(entry.offset));
  else
    put(content, entry.offset, entry.bytes);
}

void rename(std::map<std::string, Inode>& names, const Entry& entry) {
  if (entry.kind == Entry::Kind::create)
    names[entry.bytes] = entry.inode;
  else
    names.erase(entry.bytes);
}

// How much of what was pending reached the platter: a number of pending entries for each sector.
class Reach {
 public:
  Reach(std::size_t pending, sim::Random& random)
      : pending_(static_cast<std::int64_t>(pending)), random_(random), extreme_(random.below(6)) {}
  std::int64_t of_sector(std::int64_t sector) {
    const auto [at, fresh] = reach_.try_emplace(sector, 0);
    if (fresh) at->second = draw();
    return at->second;
  }
  std::int64_t draw() {
    if (extreme_ == 0) return 0;         // of this file nothing survives
    if (extreme_ == 1) return pending_;  // of this file all of it
    if (extreme_ == 2) return random_.chance(900) ? pending_ : 0;
    if (extreme_ == 3) return random_.chance(100) ? pending_ : 0;
    return random_.below(pending_ + 1);
  }

 private:
  const std::int64_t pending_;
  sim::Random& random_;
  const std::int64_t extreme_;
  std::unordered_map<std::int64_t, std::int64_t> reach_;
};

}  // namespace

bool Survivors::lied_about(const Entry& entry) const {
  return (lies_.wal && entry.file == FileKind::wal) || (lies_.database && entry.file == FileKind::database);
}

void Survivors::sync(const Entry& entry) {
  auto& [durable, pending] = contents_[entry.inode];
  const auto covered = std::ranges::lower_bound(pending, entry.begun);
  if (entry.kind == Entry::Kind::sync)
    for (auto at = pending.begin(); at != covered; ++at) apply(durable, journal_[*at]);
  pending.erase(pending.begin(), covered);
}

void Survivors::advance(Position to) {
  for (; at_ < to; ++at_) {
    const auto& entry = journal_[at_];
    switch (entry.kind) {
      case Entry::Kind::write:
      case Entry::Kind::truncate: contents_[entry.inode].pending.push_back(at_); break;
      case Entry::Kind::sync:
      case Entry::Kind::failed_sync:
        if (!lied_about(entry)) sync(entry);
        break;
      case Entry::Kind::create:
        contents_.resize(std::max(contents_.size(), entry.inode + 1));
        pending_names_.push_back(at_);
        break;
      case Entry::Kind::remove: pending_names_.push_back(at_); break;
      case Entry::Kind::sync_directory:
        if (lies_.names) break;
        for (const auto position : pending_names_) rename(names_, journal_[position]);
        pending_names_.clear();
        break;
    }
  }
}

std::map<std::string, Inode> Survivors::names_by_chance(sim::Random& random) const {
  // The changes of one name become durable in their order; those of different names in any.
  std::map<std::string, std::vector<Position>> changes;
  for (const auto position : pending_names_) changes[journal_[position].bytes].push_back(position);
  auto names = names_;
  for (const auto& [name, positions] : changes)
    for (auto left = random.below(static_cast<std::int64_t>(positions.size()) + 1); const auto position : positions)
      if (left-- > 0) rename(names, journal_[position]);
  return names;
}

std::string Survivors::content_by_chance(const Content& content, sim::Random& random) const {
  auto found = content.durable;
  Reach reach(content.pending.size(), random);
  for (std::int64_t number = 0; const auto position : content.pending) {
    const auto& entry = journal_[position];
    const auto end = entry.offset + static_cast<std::int64_t>(entry.bytes.size());
    ++number;
    if (entry.kind == Entry::Kind::truncate) {
      if (reach.draw() >= number) apply(found, entry);
      continue;
    }
    for (auto from = entry.offset; from < end;) {
      const auto sector = from / kSectorBytes;
      const auto to = std::min(end, (sector + 1) * kSectorBytes);
      if (reach.of_sector(sector) >= number)
        put(found, from,
            std::string_view(entry.bytes)
                .substr(static_cast<std::size_t>(from - entry.offset), static_cast<std::size_t>(to - from)));
      from = to;
    }
  }
  return found;
}

void Survivors::write_to(const std::string& directory, Loss loss, sim::Random& random) const {
  const bool dropped = loss == Loss::everything_unsynced;
  for (const auto& [name, inode] : dropped ? names_ : names_by_chance(random)) {
    const auto& content = contents_[inode];
    std::ofstream file(directory + "/" + name, std::ios::binary | std::ios::trunc);
    if (dropped)
      file << content.durable;
    else
      file << content_by_chance(content, random);
    if (!file.flush()) throw base::Broken(directory + "/" + name + " cannot be written");
  }
}

}  // namespace disk
