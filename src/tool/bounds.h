#pragma once
// Bounds of the tools that nobody else needs; the shared ones are in base/limits.h.
#include <cstddef>
#include <cstdint>

namespace tool::bounds {

inline constexpr std::size_t kPathBytesMax = 4'095;  // PATH_MAX without its NUL
inline constexpr int kLinkHopsMax = 8;               // symbolic links followed to the file that Write or Edit replaces
inline constexpr int kOpenRetries = 16;              // openat2 answers EAGAIN when a rename races with ".."

inline constexpr std::int64_t kReadLinesDefault = 2'000;
inline constexpr std::size_t kReadLineBytesMax = 2'000;    // a longer line is cut, and says so
inline constexpr std::size_t kReadScanBytesMax = 1 << 30;  // how far Read streams to reach its offset
inline constexpr std::size_t kBlockBytes = 256 << 10;      // one read(2)

inline constexpr std::size_t kGlobPatternBytesMax = 4'096;
inline constexpr int kGlobBracesDepthMax = 16;
inline constexpr std::size_t kGrepLineBytesMax = 500;        // a longer matching line is cut around its match
inline constexpr std::int64_t kGrepContextMax = 50;          // lines before and after a match
inline constexpr std::size_t kGrepScanBytesMax = 2ul << 30;  // file bytes one Grep searches
inline constexpr std::int64_t kSearchMsMax = 20'000;  // wall clock of one Glob or Grep: nothing can cut it short from outside
inline constexpr std::int64_t kCommandMsDefault = 300'000;
inline constexpr std::size_t kCommandShownBytes = 2'000;  // of a command, in its own result
inline constexpr std::size_t kOutputHeadBytes = 8 << 10;  // of each stream that a model sees
inline constexpr std::size_t kOutputTailBytes = 24 << 10;
inline constexpr std::int64_t kOutputLinesDefault = 10'000;  // of each stream, unless configured
inline constexpr std::size_t kSecretBytesMax = 64 << 10;     // how far beyond a cut a secret is seen
inline constexpr std::size_t kRegexBytesMax = 16 << 10;

}  // namespace tool::bounds
