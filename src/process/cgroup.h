#pragma once
// The control group (version 2) of one child's tree, where the kernel has them and this process may make one below its own
// (root, a delegated subtree). All that is in it dies with one write, however it forks meanwhile. Everywhere else the tree is
// found by its parents (tree.h), which is as complete, in more rounds.
#include <optional>
#include <string>
#include <string_view>

namespace process {

class Cgroup {
 public:
  // Where one of this name would be; nothing where there is no version 2. Nothing is made yet.
  static std::optional<Cgroup> below_own(std::string_view name);
  explicit Cgroup(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  // The file that a process enters it by, writing "0".
  std::string entrance() const { return path_ + "/cgroup.procs"; }

  bool make() const;  // false: not permitted
  void kill() const;  // everything in it, at once; no error when it is not there
  void remove() const;

 private:
  std::string path_;
};

}  // namespace process
