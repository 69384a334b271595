// Bytes from an MCP server must neither crash its client's readers nor break what they promise.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "mcp/json_rpc.h"
#include "mcp/lines.h"
#include "mcp/names.h"
#include "mcp/task.h"
#include "mcp/tool_list.h"
#include "tool/mcp_tool.h"
#include "tool/schema.h"

namespace {

namespace json = boost::json;
namespace limits = base::limits;

void check_tools(const json::object& result) {
  mcp::ToolListReader reader("s");
  const auto page = reader.add_page(result);
  if (page && *page) ASSERT(!(*page)->empty() && (*page)->size() <= limits::kMcpCursorBytesMax);
  const auto list = std::move(reader).finish();
  ASSERT(list.tools.size() <= limits::kMcpToolsMax);
  for (const auto& tool : list.tools) {
    ASSERT(!tool.name.empty() && tool.model_name.size() <= 64 && tool.schema.size() <= limits::kMcpSchemaBytesMax);
    ASSERT(tool.model_name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
           std::string::npos);
    ASSERT(base::valid_utf8(tool.description) && base::parse_json(tool.schema)->is_object());
  }
  // Whatever was let through makes tools, and the arguments that it describes can be judged.
  const tool::Toolbox box(tool::mcp_tools("s", nullptr, list));
  for (const auto* definition : box.definitions()) {
    ASSERT(box.find(definition->name)->definition().name == definition->name);
    if (definition->reads_itself) continue;
    const auto schema = tool::Schema::compile(definition->schema);
    ASSERT(schema);
    for (const auto* arguments : {"{}", R"({"a":1,"b":[1,{"c":null}],"n":5,"text":"x"})"})
      (void)schema->problems(base::parse_json(arguments)->as_object());
  }
}

void check_result(const json::object& result) {
  check_tools(result);
  ASSERT(!tool::outcome_of(result).text.empty());
  (void)mcp::offers_tasks(result);
  for (const auto& task : {mcp::read_task(result), mcp::created_task(result)})
    if (task) ASSERT(!task->task_id.empty() && task->poll_ms >= limits::kMcpPollMsMin && task->poll_ms <= limits::kMcpPollMsMax);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  constexpr std::size_t kLineMax = 1 << 10;
  mcp::Lines lines(kLineMax);
  lines.feed(input);
  while (const auto line = lines.next()) ASSERT(line->text.size() <= kLineMax && line->text.find('\n') == std::string::npos);
  for (const auto& message : mcp::decode(input).messages)
    if (message && message->answer && *message->answer) check_result(**message->answer);
  if (const auto value = base::parse_json(input); value && value->is_object()) check_result(value->get_object());
  ASSERT(mcp::model_name("s", input).size() <= 64);
  return 0;
}
