#pragma once
// Reads the recordings of tests/data/agentos (its README has the format).
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/text.h"
#include "net/http_server.h"

namespace api::agentos {

struct Exchange {
  net::HttpRequest request;
  int status = 0;
  std::vector<net::HttpHeader> headers;
  std::string body;
};

struct SseFrame {
  std::string event, data;
  std::string text;  // both lines, and the empty one
  boost::json::object json() const { return boost::json::parse(data).as_object(); }
};

class RecordingReader {
 public:
  explicit RecordingReader(const std::string& name) {
    std::ifstream file(std::string(OUTLAST_TEST_DATA "/agentos/") + name + ".txt");
    EXPECT_TRUE(file) << name;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const auto line : base::split(text, '\n')) lines_.emplace_back(line);
  }

  std::vector<Exchange> read() {
    std::vector<Exchange> all;
    while (at_ < lines_.size()) {
      if (lines_[at_].starts_with(">>> "))
        all.push_back(read_one());
      else
        ++at_;
    }
    return all;
  }

 private:
  static bool ends(const std::string& line) { return line == "--- end" || line.starts_with("--- client closed"); }

  std::vector<net::HttpHeader> read_headers() {
    std::vector<net::HttpHeader> headers;
    for (; at_ < lines_.size() && !lines_[at_].empty() && !lines_[at_].starts_with("<<<"); ++at_) {
      const auto colon = lines_[at_].find(": ");
      headers.push_back({base::to_lower(lines_[at_].substr(0, colon)), lines_[at_].substr(colon + 2)});
    }
    return headers;
  }

  std::string read_body() {
    std::string body;
    if (at_ < lines_.size() && lines_[at_].empty()) ++at_;
    for (; at_ < lines_.size() && !lines_[at_].starts_with("<<< ") && !ends(lines_[at_]); ++at_) body += lines_[at_] + "\n";
    // The newline after a body that has none of its own.
    if (body.ends_with('\n') && !body.ends_with("\n\n")) body.pop_back();
    return body;
  }

  Exchange read_one() {
    Exchange one;
    const auto words = base::split(std::string_view(lines_[at_]).substr(4), ' ');
    one.request.method = words.front();
    one.request.target = std::string_view(lines_[at_]).substr(5 + words.front().size());
    ++at_;
    one.request.headers = read_headers();
    one.request.body = read_body();
    if (at_ >= lines_.size() || !lines_[at_].starts_with("<<< ")) return one;
    one.status = std::stoi(lines_[at_].substr(4, 3));
    ++at_;
    one.headers = read_headers();
    one.body = read_body();
    return one;
  }

  std::vector<std::string> lines_;
  std::size_t at_ = 0;
};

inline std::vector<Exchange> recording(const std::string& name) { return RecordingReader(name).read(); }

// The events of a stream's body, without comments.
inline std::vector<SseFrame> frames_of(const std::string& body) {
  std::vector<SseFrame> frames;
  SseFrame frame;
  for (const auto line : base::split(body, '\n')) {
    if (line.starts_with("event: ")) frame.event = line.substr(7);
    if (line.starts_with("data: ")) frame.data = line.substr(6);
    if (!line.empty() || frame.data.empty()) continue;
    frame.text = "event: " + frame.event + "\ndata: " + frame.data + "\n\n";
    frames.push_back(std::exchange(frame, {}));
  }
  return frames;
}

}  // namespace api::agentos
