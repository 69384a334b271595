#include "tool/mcp_tool.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "mcp/names.h"
#include "tool/schema.h"

namespace tool {

namespace json = boost::json;

namespace {

constexpr std::size_t kNameShownBytes = 256;  // of a resource's URI or type

std::string shown(std::string_view text) { return base::utf8_lossy(base::utf8_prefix(text, kNameShownBytes)); }

// What is followed here of a schema from outside: keywords that cost no more than reading the arguments. References multiply,
// comparing all items is quadratic, a multiple of zero is a trap. A schema that has any other is the server's to follow.
constexpr std::string_view kNoSchemas[] = {"type",      "required", "enum",       "const",    "description",    "title",
                                           "default",   "examples", "minimum",    "maximum",  "minLength",      "maxLength",
                                           "minItems",  "maxItems", "$schema",    "format",   "pattern",        "readOnly",
                                           "writeOnly", "nullable", "deprecated", "$comment", "contentEncoding"};
constexpr std::string_view kOneSchema[] = {"items", "additionalProperties"};
constexpr std::string_view kSeveralSchemas[] = {"anyOf", "oneOf", "allOf"};

template <std::size_t N>
bool has(const std::string_view (&words)[N], std::string_view word) {
  return std::ranges::find(words, word) != std::end(words);
}

bool is_plain(const json::value& schema);

bool is_plain_member(std::string_view key, const json::value& value) {
  if (has(kNoSchemas, key)) return true;
  if (has(kOneSchema, key)) return is_plain(value);
  if (const auto* several = value.if_array()) return has(kSeveralSchemas, key) && std::ranges::all_of(*several, is_plain);
  const auto* named = value.if_object();
  return key == "properties" && named && std::ranges::all_of(*named, [](const auto& member) { return is_plain(member.value()); });
}

// Recursion is bounded by the JSON parser.
bool is_plain(const json::value& schema) {
  if (schema.is_bool()) return true;
  const auto* object = schema.if_object();
  return object && std::ranges::all_of(*object, [](const auto& member) { return is_plain_member(member.key(), member.value()); });
}

bool can_be_followed(const std::string& schema) {
  const auto value = base::parse_json(schema);
  return value && is_plain(*value) && Schema::compile(schema);
}

// "image/png, 1234 bytes": what base64 text of this length stands for.
std::string size_of(const json::object& part, std::string_view key) {
  const auto data = base::text_or_empty(part, key);
  auto bytes = data.size() / 4 * 3;
  if (data.ends_with("==")) return std::to_string(bytes - 2) + " bytes";
  if (data.ends_with('=')) --bytes;
  return std::to_string(bytes) + " bytes";
}

std::string with_type(const json::object& part) {
  const auto type = base::text_or_empty(part, "mimeType");
  return type.empty() ? "" : ", " + shown(type);
}

std::string resource_text(const json::object& part) {
  const auto* resource = base::object_field(part, "resource");
  if (!resource) return "[resource]";
  const auto size = resource->contains("blob") ? size_of(*resource, "blob")
                                               : std::to_string(base::text_or_empty(*resource, "text").size()) + " bytes";
  return "[resource " + shown(base::text_or_empty(*resource, "uri")) + with_type(*resource) + ", " + size + "]";
}

std::string part_text(const json::object& part) {
  const auto type = base::text_or_empty(part, "type");
  if (type == "text") return base::text_or_empty(part, "text");
  if (type == "image" || type == "audio") return "[" + type + with_type(part) + ", " + size_of(part, "data") + "]";
  if (type == "resource") return resource_text(part);
  if (type == "resource_link") return "[resource " + shown(base::text_or_empty(part, "uri")) + with_type(part) + "]";
  return "[" + (type.empty() ? "content" : shown(type)) + "]";
}

class McpTool final : public Tool {
 public:
  McpTool(const std::string& server, std::shared_ptr<mcp::Client> client, mcp::ToolInfo info)
      : client_(std::move(client)), info_(std::move(info)) {
    definition_.name = info_.model_name;
    definition_.module = mcp::module_of(server);
    definition_.action = info_.name;
    definition_.description = info_.description;
    definition_.schema = info_.schema;
    definition_.side_effect = info_.repeatable ? SideEffect::idempotent : SideEffect::at_most_once;
    definition_.from_outside = true;
    definition_.reads_itself = !can_be_followed(info_.schema);
  }
  const Definition& definition() const override { return definition_; }

  aio::Task<Outcome> call(json::object arguments, Context context) override {
    const auto client = client_;  // the tools of a run may be replaced while this call is under way
    auto use = client->use({.tool = info_, .arguments = std::move(arguments), .in_background = context.is_task});
    const auto result = co_await std::move(use);
    if (!result) co_return Outcome{result.error(), true};
    co_return outcome_of(*result);
  }

 private:
  const std::shared_ptr<mcp::Client> client_;
  const mcp::ToolInfo info_;
  Definition definition_;
};

}  // namespace

Outcome outcome_of(const json::object& result) {
  Outcome outcome{.text = {}, .is_error = base::bool_field(result, "isError").value_or(false)};
  bool has_text = false;
  if (const auto* content = base::array_field(result, "content")) {
    for (const auto& item : *content) {
      const auto* part = item.if_object();
      if (!part) continue;
      const auto text = part_text(*part);
      outcome.text += (outcome.text.empty() ? "" : "\n") + text;
      has_text = has_text || (base::text_or_empty(*part, "type") == "text" && !text.empty());
    }
  }
  const auto* structured = result.if_contains("structuredContent");
  if (structured && !structured->is_null() && !has_text)
    outcome.text += (outcome.text.empty() ? "" : "\n") + base::to_text(*structured);
  if (outcome.text.empty()) outcome.text = outcome.is_error ? "The tool failed without a word." : "(The tool returned nothing.)";
  return outcome;
}

std::vector<std::unique_ptr<Tool>> mcp_tools(const std::string& server, std::shared_ptr<mcp::Client> client,
                                             const mcp::ToolList& list) {
  std::vector<std::unique_ptr<Tool>> tools;
  for (const auto& info : list.tools) tools.push_back(std::make_unique<McpTool>(server, client, info));
  return tools;
}

}  // namespace tool
