#pragma once
// Fields of a JSON body, as AgentOS checks them: unknown ones are ignored, null is absent, a wrong type is a 422.
#include <boost/json/object.hpp>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "api/problem.h"

namespace api {

// The object, or 422 for what is none. An empty body is an empty object.
std::expected<boost::json::object, net::HttpResponse> parse_body(std::string_view text);

class BodyReader {
 public:
  BodyReader(const boost::json::object& body, FieldErrors& errors) : body_(body), errors_(errors) {}

  // Nothing where the field is absent or wrong; what is wrong is in the errors.
  std::optional<std::string> text(std::string_view field);    // at most kNameBytesMax
  std::optional<std::string> object(std::string_view field);  // as JSON text
  const boost::json::array* array(std::string_view field);
  void require(std::string_view field);

 private:
  const boost::json::value* find(std::string_view field) const;
  const boost::json::object& body_;
  FieldErrors& errors_;
};

}  // namespace api
