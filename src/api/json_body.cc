#include "api/json_body.h"

#include "base/json.h"
#include "base/limits.h"

namespace api {

namespace json = boost::json;

std::expected<json::object, net::HttpResponse> parse_body(std::string_view text) {
  auto body = base::parse_json(text.empty() ? "{}" : text);
  FieldErrors errors;
  if (!body)
    errors.other("body", "0", "", "json_invalid", "JSON decode error");
  else if (!body->is_object())
    errors.bad_type("0", *body, "model_attributes_type", "Input should be a valid dictionary or object to extract fields from");
  if (!errors.empty()) return std::unexpected(errors.response());
  return std::move(body->as_object());
}

const json::value* BodyReader::find(std::string_view field) const {
  const auto* value = body_.if_contains(field);
  return value && !value->is_null() ? value : nullptr;
}

std::optional<std::string> BodyReader::text(std::string_view field) {
  const auto* value = find(field);
  if (!value) return std::nullopt;
  if (!value->is_string()) {
    errors_.bad_type(field, *value, "string_type", "Input should be a valid string");
    return std::nullopt;
  }
  const std::string_view said = value->get_string();
  if (said.size() > base::limits::kNameBytesMax) {
    errors_.other("body", field, "", "string_too_long", "String should have at most 1024 bytes");
    return std::nullopt;
  }
  return std::string(said);
}

std::optional<std::string> BodyReader::object(std::string_view field) {
  const auto* value = find(field);
  if (!value) return std::nullopt;
  if (!value->is_object()) {
    errors_.bad_type(field, *value, "dict_type", "Input should be a valid dictionary");
    return std::nullopt;
  }
  return base::to_text(*value);
}

const json::array* BodyReader::array(std::string_view field) {
  const auto* value = find(field);
  if (!value) return nullptr;
  if (!value->is_array()) errors_.bad_type(field, *value, "list_type", "Input should be a valid list");
  return value->if_array();
}

void BodyReader::require(std::string_view field) {
  if (!find(field)) errors_.missing("body", field);
}

}  // namespace api
