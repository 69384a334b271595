#pragma once
// The directory of one child, through which its owner (the shim) and its executors speak of it. Everything here blocks:
// milliseconds. Files appear whole or not at all. Formats: docs/formats/child-directory.md.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "process/child.h"

namespace process {

class ChildDirectory {
 public:
  explicit ChildDirectory(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

  // Makes it, durably, with its spec; one that is there keeps the spec that it has. Throws base::Broken.
  void make(const ChildSpec& spec) const;

  // Takes the one right to run the child, durably, before anything runs. False: it is taken, or closed.
  bool claim(std::string_view text) const;

  std::optional<std::string> read(std::string_view name) const;
  // Durable and whole, or the old one. Throws base::Broken.
  void write(std::string_view name, std::string_view text) const;

  // The owner that claimed it. Errc::not_found: closed; Errc::unavailable: not claimed yet.
  base::Result<base::ProcessIdentity> owner() const;
  std::optional<Ended> ended() const;
  // The child's own process, once it runs; it may have ended since.
  std::optional<base::ProcessIdentity> process() const;
  // Whether that process is there, whoever owns it.
  bool lives() const;

 private:
  // A new file, whole and durable. False: it is there already.
  bool place(std::string_view name, std::string_view text) const;

  const std::string path_;
};

// "stdout", "stderr": what the child wrote, every byte.
inline constexpr std::string_view kSpecFile = "spec.json", kClaimFile = "claim", kEndFile = "end.json", kStdoutFile = "stdout",
                                  kStderrFile = "stderr", kProcessFile = "process", kSocketFile = "socket", kCgroupFile = "cgroup";

// Both ends of an output file, as far as `bytes` reach. What lies next to a cut is there too: what is cut in two is only seen so.
struct Excerpt {
  std::string head, tail;  // the tail is empty where the head is all of it
  std::string beyond_head, before_tail;
  std::uint64_t bytes = 0;  // of the whole file
  std::uint64_t omitted_bytes = 0, omitted_lines = 0;
};
// The end of an output file: its last lines, at most `bytes`, and how many lines the whole file has.
struct Tail {
  std::string text, before;
  std::int64_t lines = 0;
};
Tail read_tail(const std::string& path, std::size_t lines, std::size_t bytes, std::size_t margin = 0);

// `head_bytes` from the front, `tail_bytes` from the back, cut at line ends where they are near, and `margin` bytes next to each
// cut. A missing file is empty.
Excerpt read_excerpt(const std::string& path, std::size_t head_bytes, std::size_t tail_bytes, std::size_t margin = 0);
// At most `bytes` from `from` on; "" beyond the end, or without the file.
std::string read_from(const std::string& path, std::uint64_t from, std::size_t bytes);
// What lies around `at`, up to `margin` bytes to each side; `begins`: the offset of the first one.
std::string read_around(const std::string& path, std::uint64_t at, std::size_t margin, std::uint64_t& begins);

}  // namespace process
