#include "api/problem.h"

#include "base/json.h"
#include "base/text.h"

namespace api {

using base::append_json_string;

namespace {

// What was sent, as a JSON string; what is no UTF-8 in it is replaced.
std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, base::utf8_lossy(text));
  return out;
}

}  // namespace

net::HttpResponse json_response(int status, std::string body) { return {.status = status, .body = std::move(body)}; }

net::HttpResponse problem(int status, std::string_view detail) {
  return json_response(status, "{\"detail\":" + quoted(detail) + "}");
}

void FieldErrors::add(std::string_view where, std::string_view field, std::string_view input_json, std::string_view type,
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
  entries_ += input_json;
  if (!context.empty()) entries_ += ",\"ctx\":" + std::string(context);
  entries_ += '}';
}

void FieldErrors::missing(std::string_view where, std::string_view field) {
  add(where, field, "null", "missing", "Field required", "");
}

void FieldErrors::bad_bool(std::string_view where, std::string_view field, std::string_view input) {
  other(where, field, input, "bool_parsing", "Input should be a valid boolean, unable to interpret input");
}

void FieldErrors::bad_int(std::string_view where, std::string_view field, std::string_view input) {
  other(where, field, input, "int_parsing", "Input should be a valid integer, unable to parse string as an integer");
}

void FieldErrors::too_small(std::string_view where, std::string_view field, std::string_view input, std::int64_t minimum) {
  const auto least = std::to_string(minimum);
  add(where, field, quoted(input), "greater_than_equal", "Input should be greater than or equal to " + least,
      "{\"ge\":" + least + "}");
}

void FieldErrors::bad_choice(std::string_view where, std::string_view field, std::string_view input,
                             const std::vector<std::string_view>& choices) {
  std::string expected;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i) expected += i + 1 == choices.size() ? " or " : ", ";
    expected += "'" + std::string(choices[i]) + "'";
  }
  add(where, field, quoted(input), "enum", "Input should be " + expected, "{\"expected\":" + quoted(expected) + "}");
}

void FieldErrors::other(std::string_view where, std::string_view field, std::string_view input, std::string_view type,
                        std::string_view message) {
  add(where, field, quoted(input), type, message, "");
}

void FieldErrors::bad_type(std::string_view field, const boost::json::value& input, std::string_view type,
                           std::string_view message) {
  add("body", field, base::to_text(input), type, message, "");
}

net::HttpResponse FieldErrors::response() const { return json_response(422, "{\"detail\":[" + entries_ + "]}"); }

}  // namespace api
