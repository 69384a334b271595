#pragma once
// Parsers of what clients send: percent-encoding, query strings, urlencoded and multipart forms. Pure, bounded, fuzzed.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace net {

struct FormField {
  std::string name;
  std::string value;          // raw bytes of a file part, text of others
  std::string filename;       // not empty: a file part
  std::string content_type;
  bool operator==(const FormField&) const = default;
};
using Form = std::vector<FormField>;

// The last field of that name that is not a file; an empty value counts as absent (as AgentOS' server does).
std::optional<std::string_view> value(const Form& form, std::string_view name);

// "%41+b" -> "A b" where plus_is_space; malformed escapes are kept as they are.
enum class Plus { keep, space };
std::string percent_decode(std::string_view text, Plus plus);

Form parse_query(std::string_view query);  // also the urlencoded body; at most kFormFieldsMax fields, the rest is dropped

// By content type: urlencoded or multipart; any other type (JSON too) is an empty form.
// Errc::invalid_argument: malformed multipart, too many fields.
base::Result<Form> parse_form(std::string_view content_type, std::string_view body);

struct Target {
  std::string path;                    // decoded, one trailing slash stripped (but "/" stays)
  std::vector<std::string> segments;   // decoded segments; an encoded slash stays inside its segment
  Form query;
};
// Errc::invalid_argument: not starting with '/', too long, a NUL or other control byte in the decoded path.
base::Result<Target> parse_target(std::string_view target);

}  // namespace net
