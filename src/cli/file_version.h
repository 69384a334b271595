#pragma once
// A file as it was when it was read, so that a later look tells whether it has changed.
#include <cstdint>
#include <ctime>
#include <string>

namespace cli {

struct FileVersion {
  std::int64_t size = -1;  // -1: there is none
  timespec changed{};
  std::uint64_t inode = 0;
  bool operator==(const FileVersion& other) const;
};

FileVersion version_of(const std::string& file);

}  // namespace cli
