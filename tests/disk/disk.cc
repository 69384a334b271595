#include "tests/disk/disk.h"

namespace disk {

Position Disk::now() const {
  const std::lock_guard hold(mutex_);
  return journal_.size();
}

Inode Disk::open(const std::string& name, FileKind kind) {
  const std::lock_guard hold(mutex_);
  const auto [at, made] = names_.try_emplace(name, inodes_);
  if (made) {
    ++inodes_;
    journal_.push_back({.kind = Entry::Kind::create, .file = kind, .inode = at->second, .bytes = name});
  }
  return at->second;
}

void Disk::removed(const std::string& name) {
  const std::lock_guard hold(mutex_);
  const auto at = names_.find(name);
  if (at == names_.end()) return;
  journal_.push_back({.kind = Entry::Kind::remove, .inode = at->second, .bytes = name});
  names_.erase(at);
}

void Disk::arm(Fault fault) {
  const std::lock_guard hold(mutex_);
  fault_ = fault;
  matching_calls_ = strikes_ = 0;
}

void Disk::heal() {
  const std::lock_guard hold(mutex_);
  fault_.reset();
}

int Disk::strikes() const {
  const std::lock_guard hold(mutex_);
  return strikes_;
}

std::optional<Effect> Disk::strike(Call call, FileKind file) {
  const std::lock_guard hold(mutex_);
  if (!fault_ || fault_->call != call || (fault_->file && *fault_->file != file)) return std::nullopt;
  ++matching_calls_;
  if (matching_calls_ < fault_->first || matching_calls_ > fault_->last) return std::nullopt;
  ++strikes_;
  return fault_->effect;
}

}  // namespace disk
