#pragma once
// Confinement of the file tools, by construction: every path is resolved by the kernel below an open descriptor of the work
// directory (openat2 with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), and everything after that works on the descriptor it
// returned. There is no check of a name that could become another file before its use. On kernels without openat2 the path is
// walked component by component and no symbolic link is followed at all.
#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tool/fd.h"

namespace tool {

enum class Resolver {
  kernel,      // openat2: links are followed as long as they stay inside
  components,  // openat of each component with O_NOFOLLOW
};

enum class Links { follow, refuse };
enum class Parents { create, keep };

// How messages call a directory that is no other.
inline constexpr std::string_view kTheWorkDirectory = "the work directory";

// Where a file is, or will be: an open directory inside the work directory, and one plain name in it that is no symbolic link.
struct Place {
  Fd directory;
  std::string name;
  std::string path;  // as WorkDirectory::name() has it, after links; for messages
  bool exists = false;
  struct stat status = {};  // only where it exists: a regular file
  int directories_created = 0;
};

class WorkDirectory {
 public:
  // Picks the resolver that the kernel offers.
  static base::Result<WorkDirectory> open(const std::string& path, std::string_view called = kTheWorkDirectory);
  static base::Result<WorkDirectory> open(const std::string& path, Resolver resolver,
                                          std::string_view called = kTheWorkDirectory);

  // From now on only what lies in these paths is there (absolute, or relative to this directory): where a file really is counts,
  // behind all links.
  void confine(const std::vector<std::string>& paths);

  // What a model gave as a path, relative to the work directory ("." for itself). Absolute paths inside are accepted; "." and
  // doubled slashes are dropped. ".." is left to the resolver, which refuses it where it leads out.
  base::Result<std::string> relative(std::string_view path) const;

  // A regular file, opened for reading. Directories, devices, fifos and sockets are refused with the reason, unopened.
  base::Result<Fd> open_file(const std::string& path, Links links = Links::follow) const;
  base::Result<Fd> open_directory(const std::string& path, Links links = Links::follow) const;
  // The same confinement, rooted at a directory inside this one.
  base::Result<WorkDirectory> below(const std::string& path) const;
  // What the path leads to, without opening it.
  base::Result<struct stat> status(const std::string& path) const;

  // Where a file can be written. A symbolic link in the last component is followed here, so that its target is replaced.
  base::Result<Place> place(const std::string& path, Parents parents) const;

  // The same directory for somebody who reaches it by `prefix` ("../other", "/srv/app"): messages name its files so.
  WorkDirectory reached_by(std::string prefix) const;
  // What such a one calls the file `path` of this directory.
  std::string name(const std::string& path) const;

  const std::string& path() const { return path_; }
  const std::string& real_path() const { return real_path_; }

 private:
  WorkDirectory(Fd root, std::string path, std::string real_path, Resolver resolver, std::string_view called);
  int resolve(const std::string& path, int flags, Links links) const;  // a descriptor, or -errno
  int resolve_anywhere(const std::string& path, int flags, Links links) const;
  int resolve_components(const std::string& path, int flags) const;
  // The directory `path`, in which `name` is meant.
  base::Result<Fd> parent(const std::string& path, const std::string& name, Parents parents, int& created) const;
  // What is there, and where `rest` would be below it.
  bool allows(int fd, const std::string& rest = {}) const;
  std::unexpected<base::Error> refuse(const std::string& path, int error) const;

  std::shared_ptr<const Fd> root_;
  std::string path_;       // as given
  std::string real_path_;  // without links; may be empty
  Resolver resolver_;
  std::string called_;  // for messages
  std::string prefix_;  // in front of paths in messages; "" where they are relative to this directory
  std::optional<std::vector<std::string>> allowed_;  // without links; none: everything
  std::string allowed_names_;                        // as given, for messages
};

// Opens the file of a place for reading and brings its status up to date.
base::Result<Fd> open_place(Place& place);

// "regular file", "directory", "fifo", "socket", "device" or "symbolic link".
std::string_view kind(const struct stat& status);

// Whether it can be a path at all.
base::Result<> check_path(std::string_view path);

// The path as it may stand in a message: valid UTF-8, bounded.
std::string shown(std::string_view path);

}  // namespace tool
