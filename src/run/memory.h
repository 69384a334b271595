#pragma once
// What the agents of a session have noted, its goal, its to-do list and facts, and how a model is told of it. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace run {

// The numbers of both are stored (docs/formats/store.md): append only.
enum class MemoryKind { goal = 0, todo = 1, fact = 2 };
enum class TodoStatus { pending = 0, in_progress = 1, completed = 2, cancelled = 3 };

struct MemoryEntry {
  std::int64_t number = 0;  // within its session; never used again there
  MemoryKind kind = MemoryKind::fact;
  std::string content;
  TodoStatus status = TodoStatus::pending;      // of a todo
  std::string category = {}, importance = {};   // of a fact, as its author said
  std::int64_t created_ms = 0, changed_ms = 0;  // wall
};

struct MemoryChange {  // of a todo
  std::optional<TodoStatus> status = {};
  std::optional<std::string> content = {};
};

// "goal", "todo", "fact" / "pending", "in_progress", "completed", "cancelled"
std::string_view name(MemoryKind kind);
std::string_view name(TodoStatus status);
std::optional<TodoStatus> parse_todo_status(std::string_view name);

// The message in front of a conversation: the goal, the todos, the facts. `entries` come in this order (todos as they were made,
// facts newest first) and are perhaps only the first of `total`; what does not fit in `bytes_max` is left out, and counted.
// "" where nothing is noted.
std::string memory_message(const std::vector<MemoryEntry>& entries, std::size_t total, std::size_t bytes_max);

}  // namespace run
