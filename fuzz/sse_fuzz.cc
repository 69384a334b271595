// However a stream is cut, it holds the same events.
#include "net/sse.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "chunks.h"

namespace {

struct Parsed {
  std::vector<std::pair<std::string, std::string>> events;
  bool overflowed = false;
  bool operator==(const Parsed&) const = default;
};

constexpr std::size_t kBytesMax = 200;  // small, so that the bound is met

Parsed parse(const std::vector<std::string_view>& chunks) {
  net::SseParser parser(kBytesMax);
  Parsed out;
  const auto take = [&](const net::SseEvent& event) {
    ASSERT(event.name.size() <= kBytesMax && event.data.size() <= kBytesMax);
    ASSERT(event.name.find_first_of("\r\n") == event.name.npos && event.data.find('\r') == event.data.npos);
    out.events.emplace_back(event.name, event.data);
  };
  for (const auto bytes : chunks) {
    const Chunk chunk(bytes);
    parser.feed(chunk.view());
    while (const auto event = parser.next()) take(*event);
  }
  if (const auto event = parser.last()) take(*event);
  out.overflowed = parser.overflowed();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = cut_input(data, size);
  ASSERT(parse(input.chunks) == parse({input.whole}));
  return 0;
}
