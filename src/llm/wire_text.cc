#include "llm/wire_text.h"

#include <charconv>

#include "base/json.h"
#include "base/text.h"

namespace llm {

void append_key(std::string& out, std::string_view key) {
  out += ',';
  base::append_json_string(out, key);
  out += ':';
}

void append_number(std::string& out, double value) {
  char buffer[32];
  const auto [end, ec] = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, ec == std::errc{} ? end : buffer);
}

std::string arguments_object(const run::ToolCall& call) {
  if (base::trim(call.arguments).empty()) return "{}";
  if (const auto parsed = base::parse_json(call.arguments); parsed && parsed->is_object()) return call.arguments;
  std::string out = R"({"invalid_arguments":)";
  base::append_json_string(out, call.arguments);
  out += '}';
  return out;
}

std::string_view schema_or_empty(std::string_view schema) {
  return base::trim(schema).empty() ? std::string_view(R"({"type":"object","properties":{}})") : schema;
}

}  // namespace llm
