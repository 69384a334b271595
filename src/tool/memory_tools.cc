#include "tool/memory_tools.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "tool/function_tool.h"
#include "tool/memory.h"

namespace tool {

namespace json = boost::json;
namespace limits = base::limits;

namespace {

using Answer = base::Result<json::object>;

constexpr std::int64_t kRecalledUsual = 50;
constexpr std::size_t kRecalledBytesMax = limits::kToolResultBytesMax - 1'024;  // as JSON; an entry fits, however it is escaped
static_assert(6 * limits::kMemoryEntryBytesMax + 1'024 < kRecalledBytesMax);

constexpr std::string_view kRemember = R"({
  "type": "object",
  "properties": {
    "content": {"type": "string", "minLength": 1, "description": "What to remember, understandable by itself."},
    "category": {"type": "string", "description": "A word to find it by."},
    "importance": {"type": ["string", "number"], "description": "How much it matters, in a word or a number."}
  },
  "required": ["content"],
  "additionalProperties": false
})";
constexpr std::string_view kSetGoal = R"({
  "type": "object",
  "properties": {"goal": {"type": "string", "minLength": 1, "description": "What this session is to achieve."}},
  "required": ["goal"],
  "additionalProperties": false
})";
constexpr std::string_view kTaskCreate = R"({
  "type": "object",
  "properties": {
    "subject": {"type": "string", "minLength": 1, "description": "What is to be done, in a line."},
    "description": {"type": "string", "description": "More about it."}
  },
  "required": ["subject"],
  "additionalProperties": false
})";
constexpr std::string_view kTaskUpdate = R"({
  "type": "object",
  "properties": {
    "id": {"type": "integer", "description": "As task_create returned it."},
    "status": {"type": "string", "enum": ["pending", "in_progress", "completed", "cancelled"]},
    "content": {"type": "string", "minLength": 1, "description": "Takes the place of its text."}
  },
  "required": ["id"],
  "additionalProperties": false
})";
constexpr std::string_view kRecall = R"({
  "type": "object",
  "properties": {
    "query": {"type": "string", "description": "Words that an entry holds, any case. Without it: everything."},
    "limit": {"type": "integer", "minimum": 1, "maximum": 200, "description": "Entries at most, default 50."}
  },
  "additionalProperties": false
})";
static_assert(limits::kMemoryRecalledMax == 200, "the literal above");
constexpr std::string_view kForget = R"({
  "type": "object",
  "properties": {"id": {"type": "integer", "description": "Of any entry."}},
  "required": ["id"],
  "additionalProperties": false
})";

// A text that may be noted.
base::Result<std::string> noted(std::string text, std::string_view name, std::size_t bytes_max) {
  const auto quoted = "'" + std::string(name) + "'";
  text = base::trim(text);
  if (text.size() > bytes_max)
    return base::fail(base::Errc::invalid_argument,
                      quoted + " is too long: " + std::to_string(text.size()) + " bytes, the limit is " +
                          std::to_string(bytes_max) +
                          (bytes_max == limits::kMemoryEntryBytesMax ? "; write it to a file and note where it is" : ""));
  return text;
}

base::Result<std::string> content(std::string text, std::string_view name) {
  auto kept = noted(std::move(text), name, limits::kMemoryEntryBytesMax);
  if (kept && kept->empty()) return base::fail(base::Errc::invalid_argument, "'" + std::string(name) + "' must not be empty");
  return kept;
}

// A category or an importance; the latter may be a number.
base::Result<std::string> label(const json::object& arguments, std::string_view name) {
  const auto* value = arguments.if_contains(name);
  if (!value) return std::string();
  return noted(value->is_string() ? std::string(value->get_string()) : base::to_text(*value), name, limits::kMemoryLabelBytesMax);
}

json::object shown(const run::MemoryEntry& entry) {
  json::object out{{"id", entry.number}, {"kind", run::name(entry.kind)}, {"content", entry.content}};
  if (entry.kind == run::MemoryKind::todo) out["status"] = run::name(entry.status);
  if (!entry.category.empty()) out["category"] = entry.category;
  if (!entry.importance.empty()) out["importance"] = entry.importance;
  out["created_at"] = base::iso_utc(entry.created_ms);
  if (entry.changed_ms != entry.created_ms) out["changed_at"] = base::iso_utc(entry.changed_ms);
  return out;
}

aio::Task<Answer> remember(json::object arguments, const Context& caller) {
  auto text = content(base::text_or_empty(arguments, "content"), "content");
  auto category = label(arguments, "category"), importance = label(arguments, "importance");
  for (const auto* part : {&text, &category, &importance})
    if (!*part) co_return std::unexpected(part->error());
  run::MemoryEntry entry{.kind = run::MemoryKind::fact,
                         .content = *std::move(text),
                         .category = *std::move(category),
                         .importance = *std::move(importance)};
  const auto made = co_await caller.memory->add(caller, std::move(entry));
  if (!made) co_return std::unexpected(made.error());
  co_return json::object{{"id", made->number}, {"remembered", true}};
}

aio::Task<Answer> set_goal(json::object arguments, const Context& caller) {
  auto text = content(base::text_or_empty(arguments, "goal"), "goal");
  if (!text) co_return std::unexpected(text.error());
  run::MemoryEntry entry{.kind = run::MemoryKind::goal, .content = *std::move(text)};
  const auto made = co_await caller.memory->add(caller, std::move(entry));
  if (!made) co_return std::unexpected(made.error());
  co_return json::object{{"id", made->number}, {"goal", made->content}};
}

aio::Task<Answer> task_create(json::object arguments, const Context& caller) {
  auto text = content(base::text_or_empty(arguments, "subject"), "subject");
  if (text) text = content(*text + "\n" + base::text_or_empty(arguments, "description"), "description");
  if (!text) co_return std::unexpected(text.error());
  run::MemoryEntry entry{.kind = run::MemoryKind::todo, .content = *std::move(text)};
  const auto made = co_await caller.memory->add(caller, std::move(entry));
  if (!made) co_return std::unexpected(made.error());
  co_return json::object{{"id", made->number}, {"status", run::name(made->status)}};
}

aio::Task<Answer> task_update(json::object arguments, const Context& caller) {
  run::MemoryChange change{.status = run::parse_todo_status(base::text_or_empty(arguments, "status"))};
  if (const auto given = base::string_field(arguments, "content")) {
    auto text = content(std::string(*given), "content");
    if (!text) co_return std::unexpected(text.error());
    change.content = *std::move(text);
  }
  if (!change.status && !change.content) co_return base::fail(base::Errc::invalid_argument, "give 'status' or 'content'");
  const auto entry = co_await caller.memory->change(caller, base::int_or_zero(arguments, "id"), std::move(change));
  if (!entry) co_return std::unexpected(entry.error());
  co_return shown(*entry);
}

aio::Task<Answer> recall(json::object arguments, const Context& caller) {
  auto words = noted(base::text_or_empty(arguments, "query"), "query", limits::kMemoryEntryBytesMax);
  if (!words) co_return std::unexpected(words.error());
  const auto limit = static_cast<std::size_t>(base::int_field(arguments, "limit").value_or(kRecalledUsual));
  const auto found = co_await caller.memory->recall(caller, *std::move(words), limit);
  if (!found) co_return std::unexpected(found.error());
  json::array entries;
  std::size_t bytes = 0;
  for (const auto& entry : found->entries) {
    auto one = shown(entry);
    bytes += base::to_text(one).size() + 1;
    if (bytes > kRecalledBytesMax) break;
    entries.push_back(std::move(one));
  }
  const auto left_out = found->total - static_cast<std::int64_t>(entries.size());
  json::object out{{"entries", std::move(entries)}, {"total", found->total}};
  if (left_out > 0) out["left_out"] = left_out;
  co_return out;
}

aio::Task<Answer> forget(json::object arguments, const Context& caller) {
  const auto number = base::int_or_zero(arguments, "id");
  const auto done = co_await caller.memory->forget(caller, number);
  if (!done) co_return std::unexpected(done.error());
  co_return json::object{{"id", number}, {"forgotten", true}};
}

std::string_view refusal(const Context& caller) { return caller.memory ? std::string_view() : "nothing can be noted here"; }

// Each call is made once, by its key, or comes to the same when it is made again.
std::unique_ptr<Tool> memory_tool(std::string name, std::string description, std::string_view schema, std::vector<std::string> aliases,
                                FunctionTool::Perform perform) {
  return function_tool({.name = std::move(name),
                        .module = "memory",
                        .description = std::move(description),
                        .schema = schema,
                        .aliases = std::move(aliases),
                        .refusal = refusal,
                        .perform = perform});
}

}  // namespace

std::vector<std::unique_ptr<Tool>> memory_tools() {
  std::vector<std::unique_ptr<Tool>> tools;
  tools.push_back(memory_tool("remember",
                              "Notes a fact for later turns of this session. You are shown what is noted before each turn, also "
                              "after the conversation has grown "
                              "too long to be shown whole.",
                              kRemember, {}, remember));
  tools.push_back(memory_tool("set_goal", "Notes what this session is to achieve. Takes the place of an earlier goal.", kSetGoal,
                              {"SetGoal"}, set_goal));
  tools.push_back(memory_tool("task_create", "Adds a task to this session's to-do list. It is only noted: nothing runs.",
                              kTaskCreate, {"TaskCreate"}, task_create));
  tools.push_back(memory_tool("task_update", "Changes the status or the text of a task of the to-do list.", kTaskUpdate,
                              {"TaskUpdate"}, task_update));
  tools.push_back(memory_tool(
      "recall",
      "Lists what is noted in this session, or what of it holds given words; also what was left out of what you were shown.",
      kRecall, {}, recall));
  tools.push_back(
      memory_tool("forget", "Takes an entry out of this session's memory: a fact, a task or the goal.", kForget, {}, forget));
  return tools;
}

}  // namespace tool
