#include "mcp/tool_list.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "mcp/names.h"

namespace mcp {

namespace limits = base::limits;

namespace {

constexpr std::size_t kLeftOutMax = 32;
constexpr std::string_view kNoArguments = R"({"type":"object"})";

std::string bounded(std::string_view text) {
  if (text.size() <= limits::kMcpDescriptionBytesMax) return std::string(text);
  return std::string(base::utf8_prefix(text, limits::kMcpDescriptionBytesMax)) + "…";
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// Models and their providers want an object schema, whatever else is there.
std::string schema_of(const json::object& tool) {
  const auto* given = base::object_field(tool, "inputSchema");
  if (!given) return std::string(kNoArguments);
  if (base::string_field(*given, "type") == "object") return base::to_text(*given);
  auto schema = *given;
  schema["type"] = "object";
  return base::to_text(schema);
}

TaskSupport task_support(const json::object& tool) {
  const auto* execution = base::object_field(tool, "execution");
  const auto support = execution ? base::text_or_empty(*execution, "taskSupport") : "";
  if (support == "required") return TaskSupport::required;
  return support == "optional" ? TaskSupport::optional : TaskSupport::forbidden;
}

std::string description_of(const json::object& tool) {
  const auto text = base::text_or_empty(tool, "description");
  return bounded(text.empty() ? base::text_or_empty(tool, "title") : text);
}

}  // namespace

base::Result<std::optional<std::string>> ToolListReader::add_page(const json::object& result) {
  const auto* tools = base::array_field(result, "tools");
  if (!tools) return base::fail(base::Errc::invalid_argument, "its answer to tools/list has no tools");
  for (const auto& item : *tools) add(item);
  const auto cursor = base::string_field(result, "nextCursor");
  const bool leads_on = cursor && !cursor->empty() && cursor->size() <= limits::kMcpCursorBytesMax;
  if (!leads_on || list_.tools.size() >= limits::kMcpToolsMax) return std::nullopt;
  if (++pages_ >= limits::kMcpListPagesMax) {
    leave_out("…", "the list has more than " + std::to_string(limits::kMcpListPagesMax) + " pages");
    return std::nullopt;
  }
  return std::string(*cursor);
}

void ToolListReader::leave_out(std::string_view name, std::string why) {
  if (list_.left_out.size() < kLeftOutMax)
    list_.left_out.push_back("'" + std::string(base::utf8_prefix(name, 64)) + "': " + std::move(why));
}

void ToolListReader::add(const json::value& item) {
  const auto* tool = item.if_object();
  const auto name = tool ? base::text_or_empty(*tool, "name") : "";
  if (name.empty() || name.size() > limits::kMcpToolNameBytesMax || has_control(name))
    return leave_out(has_control(name) ? "" : name,
                     "a name has 1-" + std::to_string(limits::kMcpToolNameBytesMax) + " bytes without control characters");
  if (!names_.insert(name).second) return leave_out(name, "the server lists it twice");
  auto schema = schema_of(*tool);
  if (schema.size() > limits::kMcpSchemaBytesMax)
    return leave_out(name, "its schema is longer than " + std::to_string(limits::kMcpSchemaBytesMax) + " bytes");
  if (list_.tools.size() >= limits::kMcpToolsMax)
    return leave_out(name, "a server may offer at most " + std::to_string(limits::kMcpToolsMax) + " tools");
  const auto* hints = base::object_field(*tool, "annotations");
  const auto hinted = [&](std::string_view key) { return hints && base::bool_field(*hints, key).value_or(false); };
  list_.tools.push_back({.name = name,
                         .model_name = model_name(server_, name),
                         .description = description_of(*tool),
                         .schema = std::move(schema),
                         .repeatable = hinted("idempotentHint") || hinted("readOnlyHint"),
                         .tasks = task_support(*tool)});
}

ToolList ToolListReader::finish() && {
  std::ranges::sort(list_.tools, {}, &ToolInfo::name);
  std::set<std::string> taken;
  std::erase_if(list_.tools, [&](const ToolInfo& tool) {
    if (taken.insert(base::to_lower(tool.model_name)).second) return false;
    leave_out(tool.name, "its name differs from another's in case alone");
    return true;
  });
  return std::move(list_);
}

}  // namespace mcp
