#pragma once
// For fuzzers of incremental parsers: the input's first bytes say how the rest is cut, and every chunk lies in memory of its
// own that is gone before the next one comes, as a network buffer is.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

class Chunk {
 public:
  explicit Chunk(std::string_view bytes) : bytes_(new char[bytes.size()]), size_(bytes.size()) {
    bytes.copy(bytes_.get(), size_);
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

struct CutInput {
  std::vector<std::string_view> chunks;
  std::string_view whole;
};

inline CutInput cut_input(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kSizes = 4;
  CutInput out;
  if (size < kSizes) return out;
  out.whole = {reinterpret_cast<const char*>(data) + kSizes, size - kSizes};
  std::size_t turn = 0;
  for (auto rest = out.whole; !rest.empty();) {
    const auto length = std::min<std::size_t>(std::max<std::size_t>(data[turn++ % kSizes], 1), rest.size());
    out.chunks.push_back(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  return out;
}
