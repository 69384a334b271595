#include "api/problem.h"

#include "base/json.h"
#include "base/text.h"

namespace api {

using base::append_json_string;

net::HttpResponse json_response(int status, std::string body) { return {.status = status, .body = std::move(body)}; }

net::HttpResponse problem(int status, std::string_view detail) {
  std::string body = "{\"detail\":";
  append_json_string(body, base::utf8_lossy(detail));
  return json_response(status, body + "}");
}

void FieldErrors::add(std::string_view where, std::string_view field, std::string_view input, std::string_view type,
                      std::string_view message, std::string_view context) {
  if (!entries_.empty()) entries_ += ',';
  entries_ += "{\"type\":";
  append_json_string(entries_, type);
  entries_ += ",\"loc\":[";
  append_json_string(entries_, where);
  entries_ += ',';
  append_json_string(entries_, field);
  entries_ += "],\"msg\":";
  append_json_string(entries_, message);
  entries_ += ",\"input\":";
  if (type == "missing")
    entries_ += "null";
  else
    append_json_string(entries_, base::utf8_lossy(input));
  if (!context.empty()) entries_ += ",\"ctx\":" + std::string(context);
  entries_ += '}';
}

void FieldErrors::missing(std::string_view where, std::string_view field) { add(where, field, "", "missing", "Field required", ""); }

void FieldErrors::bad_bool(std::string_view where, std::string_view field, std::string_view input) {
  add(where, field, input, "bool_parsing", "Input should be a valid boolean, unable to interpret input", "");
}

void FieldErrors::bad_int(std::string_view where, std::string_view field, std::string_view input) {
  add(where, field, input, "int_parsing", "Input should be a valid integer, unable to parse string as an integer", "");
}

void FieldErrors::too_small(std::string_view where, std::string_view field, std::string_view input, std::int64_t minimum) {
  const auto least = std::to_string(minimum);
  add(where, field, input, "greater_than_equal", "Input should be greater than or equal to " + least, "{\"ge\":" + least + "}");
}

void FieldErrors::bad_choice(std::string_view where, std::string_view field, std::string_view input,
                             const std::vector<std::string_view>& choices) {
  std::string expected;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i) expected += i + 1 == choices.size() ? " or " : ", ";
    expected += "'" + std::string(choices[i]) + "'";
  }
  std::string context = "{\"expected\":";
  append_json_string(context, expected);
  add(where, field, input, "enum", "Input should be " + expected, context + "}");
}

void FieldErrors::other(std::string_view where, std::string_view field, std::string_view input, std::string_view type,
                        std::string_view message) {
  add(where, field, input, type, message, "");
}

net::HttpResponse FieldErrors::response() const { return json_response(422, "{\"detail\":[" + entries_ + "]}"); }

}  // namespace api
