#pragma once
// The directories that the file tools of one run may reach: its work directory, and the roots that it was given beside it. A
// path is only *named* here, without looking at any file: which directory it lies in, and where in it. That directory then opens
// it, confined to itself, so a symbolic link never leads from one of them into another.
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tool/work_directory.h"

namespace tool {

// A path in the directory that it lies in.
struct Spot {
  WorkDirectory directory;
  std::string path;  // relative to the directory
  // As whoever gave the path can give it again: relative to the work directory, or absolute if it was.
  std::string name() const { return directory.name(path); }
};

class FileSpace {
 public:
  // A root that cannot be opened is told to those who ask for a file in it: it may be gone while the others are still there.
  static base::Result<FileSpace> open(const std::string& work_directory, const std::vector<std::string>& roots);

  // WorkDirectory::confine() of every directory; relative paths are meant from the work directory.
  void confine(const std::vector<std::string>& paths);

  // Without roots, what WorkDirectory::relative() makes of the path. With roots, ".." is taken back by name, and the path lies
  // in the directory with the longest name that holds it.
  base::Result<Spot> find(std::string_view path) const;

  bool has_roots() const { return !roots_.empty(); }

 private:
  struct Root {
    std::string path;  // as given
    base::Result<WorkDirectory> directory;
  };
  struct Match {
    const WorkDirectory* directory = nullptr;
    std::string_view name;  // by which of its names it was found
  };

  explicit FileSpace(WorkDirectory work) : work_(std::move(work)) {}
  Match holder_of(std::string_view whole) const;
  // `whole` is absolute and has no dots; `from` is what relative names of files begin in, "" for absolute ones.
  base::Result<Spot> locate(const std::string& whole, std::string_view from, std::string_view given) const;

  WorkDirectory work_;
  std::vector<Root> roots_;
};

}  // namespace tool
