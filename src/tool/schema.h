#pragma once
// A tool's JSON Schema, compiled once. valijson is the judge; the messages for the top level are ours, because they have to
// name the property and the fix for a model that reads them.
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tool {

enum class JsonType : unsigned { null = 1, boolean = 2, integer = 4, number = 8, string = 16, array = 32, object = 64 };

struct Property {
  std::string name;
  unsigned types = 0;  // JsonType bits; 0: any
  bool required = false;
  bool may_be(JsonType type) const { return types == 0 || (types & static_cast<unsigned>(type)) != 0; }
};

class Schema {
 public:
  // The schema must be an object schema. `pattern` and `format` are not enforced: valijson checks them with std::regex, which
  // overflows the stack on long input.
  static base::Result<Schema> compile(std::string_view text);
  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;
  ~Schema();

  const std::vector<Property>& properties() const { return properties_; }
  const Property* property(std::string_view name) const;
  // Arguments that the schema does not name are refused.
  bool closed() const { return closed_; }

  // What is wrong with the arguments, joined by "; ". Empty if nothing is.
  std::string problems(const boost::json::object& arguments) const;

 private:
  struct Compiled;
  Schema();
  std::vector<std::string> top_level_problems(const boost::json::object& arguments) const;

  std::unique_ptr<Compiled> compiled_;
  boost::json::object text_;
  std::vector<Property> properties_;
  bool closed_ = false;
};

// The type of a value, in the words of JSON Schema ("a number" and "an integer" are told apart).
JsonType type_of(const boost::json::value& value);
std::string_view with_article(JsonType type);

}  // namespace tool
