#pragma once
// Server-Sent Events, incrementally: bytes in any chunks, events out (WHATWG HTML, "Server-sent events"). Pure.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"

namespace net {

struct SseEvent {
  std::string_view name;  // empty where the server gives none
  std::string_view data;  // the data lines joined by line feeds
};

// feed(bytes), then next() until it gives nothing; then the following bytes. Lines end in LF, CR or CRLF. Comments are skipped;
// an event without data is none.
class SseParser {
 public:
  explicit SseParser(std::size_t bytes_max = base::limits::kSseLineBytesMax) : bytes_max_(bytes_max) {}

  // `bytes` must stay valid until next() has given nothing.
  void feed(std::string_view bytes) { input_ = bytes; }
  // The views are valid until the following call of any member.
  std::optional<SseEvent> next();
  // After the last bytes: the event that the stream ended in without its empty line. The standard drops it; servers forget it.
  std::optional<SseEvent> last();
  // What a reader that comes back sends as Last-Event-ID; "" none yet. An id longer than kSseIdBytesMax is not kept.
  const std::string& last_id() const { return id_; }
  // How long it should wait before, if the server has said so.
  std::optional<std::int64_t> retry_ms() const { return retry_ms_; }
  // A line, or the data of an event, is longer than the bound. Nothing more is parsed.
  bool overflowed() const { return overflowed_; }

 private:
  std::optional<std::string_view> take_line();
  std::string_view without_mark(std::string_view line);
  void field(std::string_view line);
  void add_data(std::string_view value);
  SseEvent dispatch();
  void keep();

  std::size_t bytes_max_;
  std::string_view input_;       // not yet read
  std::string line_;             // the beginning of a line whose end has not come
  std::string whole_;            // a line joined of line_ and the input
  bool joined_ = false;          // the line at hand lies in whole_
  bool skip_line_feed_ = false;  // the line before ended in CR; an LF right behind belongs to it
  bool first_line_ = true;
  bool overflowed_ = false;

  std::string id_;
  std::optional<std::int64_t> retry_ms_;
  std::string name_;
  bool has_data_ = false;
  std::string_view data_;  // into the input or into kept_
  bool data_kept_ = false;
  std::string kept_;         // data that outlives the input, or that several lines make
  bool dispatched_ = false;  // the event at hand was given away; the next call clears it
};

}  // namespace net
