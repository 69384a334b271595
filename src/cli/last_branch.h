#pragma once
// <home>/last_branch.json: the branch used last, here (by project: the git root, else the directory) and at all.
#include <string>
#include <vector>

namespace cli {

class LastBranch {
 public:
  explicit LastBranch(const std::string& home) : home_(home) {}
  std::string path() const { return home_ + "/last_branch.json"; }

  // The branch ids to try, in order: that of the project of `cwd`, then the last of all.
  std::vector<std::string> used_last(const std::string& cwd) const;

  // Replaces the pointer of the project and the general one, atomically. Throws base::Broken where that is impossible.
  void use(const std::string& cwd, const std::string& run_id, const std::string& branch_id) const;

 private:
  std::string home_;
};

}  // namespace cli
