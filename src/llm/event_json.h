#pragma once
// The JSON of a stream's events: one parser and one arena reused for all events of an answer, because a model's answer is
// hundreds of small documents a second, and lenient where providers are careless. Pure.
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace llm {

class EventJson {
 public:
  EventJson();

  // The document, valid until the next call; null if it is not JSON. Invalid UTF-8 and lone surrogates, which the standard
  // forbids and a token boundary can produce, become U+FFFD. All strings of the document are valid UTF-8.
  const boost::json::value* parse(std::string_view text);

 private:
  static constexpr std::size_t kArenaBytes = 8 << 10;
  static constexpr std::size_t kScratchBytes = 2 << 10;
  bool parse_strictly(std::string_view text);

  std::unique_ptr<unsigned char[]> arena_;
  std::unique_ptr<unsigned char[]> scratch_;
  boost::json::monotonic_resource resource_;
  boost::json::parser parser_;
  std::optional<boost::json::value> value_;  // lives in resource_
};

}  // namespace llm
