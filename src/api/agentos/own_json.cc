#include "api/agentos/own_json.h"

#include <boost/json/parse.hpp>

namespace api::agentos {

namespace json = boost::json;

json::value parse_own_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = 128;
  return json::parse(text, {}, options);
}

}  // namespace api::agentos
