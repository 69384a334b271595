#include "net/sse.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

namespace net {
namespace {

using Events = std::vector<std::pair<std::string, std::string>>;

enum class Tail { drop, take };

void drain(SseParser& parser, Events& out) {
  while (const auto event = parser.next()) out.emplace_back(event->name, event->data);
}

// Each chunk is gone when the next one is fed.
Events parse(const std::vector<std::string_view>& chunks, Tail tail = Tail::drop) {
  SseParser parser;
  Events out;
  for (const auto chunk : chunks) {
    const auto copy = std::make_unique<char[]>(chunk.size() + 1);
    chunk.copy(copy.get(), chunk.size());
    parser.feed({copy.get(), chunk.size()});
    drain(parser, out);
  }
  if (tail == Tail::take)
    if (const auto event = parser.last()) out.emplace_back(event->name, event->data);
  return out;
}

void expect_everywhere(std::string_view stream, const Events& events, Tail tail = Tail::drop) {
  EXPECT_EQ(parse({stream}, tail), events);
  for (std::size_t i = 0; i <= stream.size(); ++i)
    for (std::size_t j = i; j <= stream.size(); ++j)
      EXPECT_EQ(parse({stream.substr(0, i), stream.substr(i, j - i), stream.substr(j)}, tail), events) << i << " " << j;
}

TEST(Sse, EventsOfTheThreeLineEnds) {
  const Events events{{"", "a"}, {"named", "b"}};
  expect_everywhere("data: a\n\nevent: named\ndata: b\n\n", events);
  expect_everywhere("data: a\r\n\r\nevent: named\r\ndata: b\r\n\r\n", events);
  expect_everywhere("data: a\r\revent: named\rdata: b\r\r", events);
}

TEST(Sse, DataLinesAreJoined) { expect_everywhere("data: a\ndata:b\ndata\ndata:  c\n\n", {{"", "a\nb\n\n c"}}); }

TEST(Sse, CommentsIdsAndUnknownFieldsAreSkipped) {
  expect_everywhere(": OPENROUTER PROCESSING\n\nid: 4\nretry: 10\ndatum: x\ndata: a\n\n:\n\n", {{"", "a"}});
}

TEST(Sse, AnEventWithoutDataIsNoneAndItsNameIsForgotten) { expect_everywhere("event: x\n\ndata: a\n\n", {{"", "a"}}); }

TEST(Sse, EmptyDataIsAnEvent) { expect_everywhere("data:\n\ndata\n\n", {{"", ""}, {"", ""}}); }

TEST(Sse, AByteOrderMarkIsSkippedOnceOnly) {
  expect_everywhere(
      "\xEF\xBB\xBF"
      "data: a\n\n",
      {{"", "a"}});
  expect_everywhere(
      "\n\xEF\xBB\xBF"
      "data: a\n\n",
      {});
}

TEST(Sse, AnUnfinishedEventIsLeftToLast) {
  expect_everywhere("data: a\n\ndata: b\n", {{"", "a"}});
  expect_everywhere("data: a\n\ndata: b\n", {{"", "a"}, {"", "b"}}, Tail::take);
  expect_everywhere("data: a\n\ndata: b", {{"", "a"}, {"", "b"}}, Tail::take);
  expect_everywhere("data: a\n\n", {{"", "a"}}, Tail::take);
  expect_everywhere("data: x\ndata: y", {{"", "x\ny"}}, Tail::take);
}

TEST(Sse, LongLinesAndLongEventsAreRefused) {
  SseParser line(16);
  line.feed("data: 0123456789abcdef\n\n");
  EXPECT_FALSE(line.next());
  EXPECT_TRUE(line.overflowed());
  line.feed("data: a\n\n");
  EXPECT_FALSE(line.next());
  EXPECT_FALSE(line.last());

  SseParser pieces(16);
  pieces.feed("data: 0123");
  EXPECT_FALSE(pieces.next());
  pieces.feed("4567890");
  EXPECT_FALSE(pieces.next());
  EXPECT_TRUE(pieces.overflowed());

  // Found by the fuzzer: data begun before the overflow was read again when its bytes were gone.
  SseParser again(16);
  {
    const std::string bytes("data: 0123456789\ndata: 0123456789\n");
    again.feed(bytes);
    EXPECT_FALSE(again.next());
  }
  again.feed("data: a\n\n");
  EXPECT_FALSE(again.next());

  SseParser event(16);
  event.feed("data: 01234567\ndata: 01234567\n\n");
  EXPECT_FALSE(event.next());
  EXPECT_TRUE(event.overflowed());
}

TEST(Sse, RemembersTheLastIdAndTheRetryTime) {
  SseParser parser;
  parser.feed("id: 1\ndata: a\n\nid: 2\ndata\n\nretry: 250\n\n");
  EXPECT_EQ(parser.next()->data, "a");
  EXPECT_EQ(parser.last_id(), "1");
  EXPECT_EQ(parser.next()->data, "");
  EXPECT_EQ(parser.last_id(), "2");
  EXPECT_FALSE(parser.next());
  EXPECT_EQ(parser.retry_ms(), 250);
  const auto bad =
      "id: " + std::string(base::limits::kSseIdBytesMax + 1, 'x') + "\nid: a" + std::string(1, '\0') + "b\nretry: 3s\nretry:\n\n";
  parser.feed(bad);
  EXPECT_FALSE(parser.next());
  EXPECT_EQ(parser.last_id(), "2");
  EXPECT_EQ(parser.retry_ms(), 250);
  parser.feed("id\n\n");
  EXPECT_FALSE(parser.next());
  EXPECT_EQ(parser.last_id(), "");
}

}  // namespace
}  // namespace net
