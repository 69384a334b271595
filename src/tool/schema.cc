// Without this, valijson ends the process where a schema is wrong.
#define VALIJSON_USE_EXCEPTIONS 1

#include "tool/schema.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "base/json.h"
#include "base/text.h"
#include "tool/arguments.h"

namespace tool {

namespace {

namespace json = boost::json;

constexpr std::size_t kProblemsMax = 8;

unsigned type_bit(std::string_view name) {
  if (name == "null") return static_cast<unsigned>(JsonType::null);
  if (name == "boolean") return static_cast<unsigned>(JsonType::boolean);
  if (name == "integer") return static_cast<unsigned>(JsonType::integer);
  // Every integer is a number.
  if (name == "number") return static_cast<unsigned>(JsonType::number) | static_cast<unsigned>(JsonType::integer);
  if (name == "string") return static_cast<unsigned>(JsonType::string);
  if (name == "array") return static_cast<unsigned>(JsonType::array);
  if (name == "object") return static_cast<unsigned>(JsonType::object);
  return 0;
}

unsigned types_of(const json::object& schema) {
  const auto* type = schema.if_contains("type");
  if (!type) return 0;
  if (type->is_string()) return type_bit(type->get_string());
  unsigned bits = 0;
  if (const auto* list = type->if_array())
    for (const auto& item : *list) bits |= item.is_string() ? type_bit(item.get_string()) : 0;
  return bits;
}

// Takes the keywords out that valijson would hand to std::regex. Property names are no keywords, so the walk knows which maps
// hold names. Depth is bounded by the JSON parser.
void drop_regexes(json::value& schema) {
  if (auto* list = schema.if_array()) {
    for (auto& item : *list) drop_regexes(item);
    return;
  }
  auto* object = schema.if_object();
  if (!object) return;
  object->erase("pattern");
  object->erase("format");
  for (auto& [key, value] : *object) {
    const bool names = key == "properties" || key == "definitions" || key == "$defs" || key == "dependencies";
    if (auto* map = value.if_object(); names && map) {
      for (auto& member : *map) drop_regexes(member.value());
    } else if (key != "enum" && key != "const" && key != "default" && key != "examples") {
      drop_regexes(value);
    }
  }
}

bool contains_regex_properties(const json::value& schema) {
  if (const auto* list = schema.if_array()) return std::any_of(list->begin(), list->end(), contains_regex_properties);
  const auto* object = schema.if_object();
  if (!object) return false;
  return std::any_of(object->begin(), object->end(), [](const auto& member) {
    return member.key() == "patternProperties" || contains_regex_properties(member.value());
  });
}

// "<root>", "[items]", "[0]" → "items[0]".
std::string place(const std::vector<std::string>& context) {
  std::string out;
  for (const auto& step : context) {
    if (step == "<root>" || step.size() < 2) continue;
    const auto name = step.substr(1, step.size() - 2);
    if (base::parse_int(name))
      out += "[" + name + "]";
    else
      out += (out.empty() ? "" : ".") + name;
  }
  return out;
}

std::string alternatives(const Property& property) {
  std::string out;
  for (const auto type : {JsonType::string, JsonType::boolean, JsonType::integer, JsonType::number, JsonType::array,
                          JsonType::object, JsonType::null}) {
    if ((property.types & static_cast<unsigned>(type)) == 0) continue;
    if (type == JsonType::integer && property.may_be(JsonType::number)) continue;
    out += (out.empty() ? "" : " or ") + std::string(with_article(type));
  }
  return out;
}

std::string enum_problem(const json::array& allowed, const json::value& value, const std::string& quoted) {
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return {};
  std::string list;
  std::vector<std::string_view> names;
  for (const auto& item : allowed) {
    list += (list.empty() ? "" : ", ") + (item.is_string() ? std::string(item.get_string()) : json::serialize(item));
    if (item.is_string()) names.push_back(item.get_string());
  }
  std::string text = quoted + " must be one of: " + list;
  if (const auto* given = value.if_string())
    if (const auto meant = base::nearest(base::utf8_prefix(*given, 64), names))
      text += "; did you mean '" + std::string(*meant) + "'?";
  return text;
}

// The value against the property's own bounds, in our words.
std::string bounds_problem(const json::object& schema, const json::value& value, const std::string& quoted) {
  const auto number = value.is_number() ? std::optional(value.to_number<double>()) : std::nullopt;
  const auto bound = [&](std::string_view key) { return base::number_field(schema, key); };
  const auto text = [&](std::string_view key) { return json::serialize(schema.at(key)); };
  if (number && bound("minimum") && *number < *bound("minimum")) return quoted + " must be at least " + text("minimum");
  if (number && bound("maximum") && *number > *bound("maximum")) return quoted + " must be at most " + text("maximum");
  const auto* string = value.if_string();
  if (string && bound("minLength") && string->empty()) return quoted + " must not be empty";
  return {};
}

}  // namespace

struct Schema::Compiled {
  valijson::Schema schema;
};

Schema::Schema() = default;
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

JsonType type_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return JsonType::null;
    case json::kind::bool_: return JsonType::boolean;
    case json::kind::int64:
    case json::kind::uint64: return JsonType::integer;
    case json::kind::double_: return JsonType::number;
    case json::kind::string: return JsonType::string;
    case json::kind::array: return JsonType::array;
    case json::kind::object: return JsonType::object;
  }
  return JsonType::null;
}

std::string_view with_article(JsonType type) {
  switch (type) {
    case JsonType::null: return "null";
    case JsonType::boolean: return "true or false";
    case JsonType::integer: return "an integer";
    case JsonType::number: return "a number";
    case JsonType::string: return "a string";
    case JsonType::array: return "an array";
    case JsonType::object: return "an object";
  }
  return "";
}

const Property* Schema::property(std::string_view name) const {
  const auto found = std::find_if(properties_.begin(), properties_.end(), [&](const Property& p) { return p.name == name; });
  return found == properties_.end() ? nullptr : &*found;
}

base::Result<Schema> Schema::compile(std::string_view text) {
  auto value = base::parse_json(text);
  if (!value) return std::unexpected(value.error());
  if (!value->is_object() || base::string_field(value->get_object(), "type") != "object")
    return base::fail(base::Errc::invalid_argument, "the schema must be an object with \"type\": \"object\"");
  if (contains_regex_properties(*value)) return base::fail(base::Errc::unsupported, "patternProperties is not supported");
  drop_regexes(*value);

  Schema schema;
  schema.text_ = value->get_object();
  schema.closed_ = base::bool_field(schema.text_, "additionalProperties") == false;
  if (const auto* properties = base::object_field(schema.text_, "properties"))
    for (const auto& [name, member] : *properties)
      schema.properties_.push_back({std::string(name), member.is_object() ? types_of(member.get_object()) : 0});
  if (const auto* required = base::array_field(schema.text_, "required"))
    for (auto& property : schema.properties_)
      property.required = std::find(required->begin(), required->end(), json::value(property.name)) != required->end();

  schema.compiled_ = std::make_unique<Compiled>();
  try {
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::BoostJsonAdapter(*value), schema.compiled_->schema);
  } catch (const std::exception& error) {
    // valijson reports an unusable schema by exception; here it is an expected outcome (schemas also come from outside).
    return base::fail(base::Errc::invalid_argument, std::string("the schema cannot be used: ") + error.what());
  }
  return schema;
}

std::vector<std::string> Schema::top_level_problems(const json::object& arguments) const {
  std::vector<std::string> problems;
  for (const auto& property : properties_)
    if (property.required && !arguments.contains(property.name)) problems.push_back("'" + property.name + "' is required");
  auto names = other_names(*this);
  for (const auto& property : properties_) names.push_back(property.name);
  const auto* schemas = base::object_field(text_, "properties");
  for (const auto& [key, value] : arguments) {
    const auto quoted = "'" + std::string(base::utf8_prefix(key, 64)) + "'";
    const auto* known = property(key);
    if (!known) {
      if (!closed_) continue;
      if (const auto meant = meaning(key, *this); meant && arguments.contains(*meant)) {
        problems.push_back(quoted + " and '" + std::string(*meant) + "' are the same argument: give one of them");
        continue;
      }
      std::string text = "unknown argument " + quoted;
      if (const auto meant = base::nearest(base::utf8_prefix(key, 64), names))
        text += ", did you mean '" + std::string(*meant) + "'?";
      problems.push_back(std::move(text));
      continue;
    }
    if (!known->may_be(type_of(value))) {
      problems.push_back(quoted + " must be " + alternatives(*known) + ", not " + std::string(with_article(type_of(value))));
      continue;
    }
    const auto* schema = schemas->at(key).if_object();
    if (!schema) continue;
    if (const auto* allowed = base::array_field(*schema, "enum"))
      if (auto text = enum_problem(*allowed, value, quoted); !text.empty()) problems.push_back(std::move(text));
    if (auto text = bounds_problem(*schema, value, quoted); !text.empty()) problems.push_back(std::move(text));
  }
  return problems;
}

std::string Schema::problems(const json::object& arguments) const {
  const json::value target(arguments);
  valijson::Validator validator;
  valijson::ValidationResults results;
  const valijson::adapters::BoostJsonAdapter adapter(target);
  if (validator.validate(compiled_->schema, adapter, &results)) return {};
  auto problems = top_level_problems(arguments);
  if (problems.empty()) {
    // The innermost places come first and say most.
    for (const auto& error : results) {
      const auto where = place(error.context);
      problems.push_back((where.empty() ? "" : "'" + base::utf8_lossy(base::utf8_prefix(where, 128)) + "': ") +
                         base::utf8_lossy(base::utf8_prefix(error.description, 300)));
    }
  }
  std::string text;
  for (std::size_t i = 0; i < problems.size() && i < kProblemsMax; ++i) text += (i == 0 ? "" : "; ") + problems[i];
  if (problems.size() > kProblemsMax) text += "; and " + std::to_string(problems.size() - kProblemsMax) + " more";
  return text.empty() ? "the arguments do not fit the schema" : text;
}

}  // namespace tool
