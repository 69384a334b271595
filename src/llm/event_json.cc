#include "llm/event_json.h"

#include <boost/json/parse_options.hpp>

#include "base/surrogates.h"
#include "base/text.h"

namespace llm {

namespace {

boost::json::parse_options options() {
  boost::json::parse_options out;
  out.max_depth = 128;
  return out;
}

}  // namespace

EventJson::EventJson()
    : arena_(std::make_unique<unsigned char[]>(kArenaBytes)),
      scratch_(std::make_unique<unsigned char[]>(kScratchBytes)),
      resource_(arena_.get(), kArenaBytes),
      parser_(boost::json::storage_ptr(), options(), scratch_.get(), kScratchBytes) {}

const boost::json::value* EventJson::parse(std::string_view text) {
  if (parse_strictly(text)) return &*value_;
  // Rare: repair what can be repaired and try once more.
  const auto repaired = base::repair_surrogates(base::utf8_lossy(text));
  return parse_strictly(repaired) ? &*value_ : nullptr;
}

bool EventJson::parse_strictly(std::string_view text) {
  value_.reset();
  parser_.reset();  // gives back what an earlier failure left in the arena
  resource_.release();
  parser_.reset(&resource_);
  boost::system::error_code ec;
  parser_.write(text.data(), text.size(), ec);
  if (ec) return false;
  value_.emplace(parser_.release());
  return true;
}

}  // namespace llm
