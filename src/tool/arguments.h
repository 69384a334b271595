#pragma once
// What models write as arguments, made to fit a tool's schema before it judges: other names for a parameter ("path" for
// "file_path"), strings for booleans and numbers, JSON text for objects, null for "not given".
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tool/schema.h"

namespace tool {

// Parses, adapts and validates. The error is what the model is told, without the tool's name.
base::Result<boost::json::object> accept_arguments(std::string_view text, const Schema& schema);

// Parses only.
base::Result<boost::json::object> object_of(std::string_view text);

// Renames and converts what is unambiguous, and leaves the rest to the schema.
void adapt_arguments(boost::json::object& arguments, const Schema& schema);

// The property that another name stands for: "file_path" for "path" and "filePath".
std::optional<std::string_view> meaning(std::string_view given, const Schema& schema);

// The names that adapt_arguments takes for properties of this schema, besides the properties themselves.
std::vector<std::string_view> other_names(const Schema& schema);

}  // namespace tool
