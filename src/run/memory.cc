#include "run/memory.h"

#include <array>

#include "base/text.h"

namespace run {

namespace {

constexpr std::array kKindNames = {"goal", "todo", "fact"};
constexpr std::array kStatusNames = {"pending", "in_progress", "completed", "cancelled"};

constexpr std::string_view kHeading = "[MEMORY] What was noted in this session:\n";
constexpr std::size_t kTailBytes = 64;  // what is left out, in words

// An entry as an item of a list: further lines are indented, so that no text looks like another item or section.
std::string item(std::string_view label, const MemoryEntry& entry, std::size_t bytes_max) {
  std::string line(label);
  const auto shown = base::utf8_prefix(entry.content, bytes_max);
  for (const char c : shown) {
    line += c;
    if (c == '\n') line += "  ";
  }
  if (shown.size() < entry.content.size()) line += "… (" + std::to_string(entry.content.size() - shown.size()) + " bytes more)";
  if (!entry.category.empty() || !entry.importance.empty())
    line += " (" + entry.category + (entry.category.empty() || entry.importance.empty() ? "" : ", ") + entry.importance + ")";
  return line + "\n";
}

std::string label(const MemoryEntry& entry) {
  switch (entry.kind) {
    case MemoryKind::goal: return "Goal: ";
    case MemoryKind::todo: return "- #" + std::to_string(entry.number) + " [" + std::string(name(entry.status)) + "] ";
    case MemoryKind::fact: return "- #" + std::to_string(entry.number) + " ";
  }
  return {};
}

std::string_view section(MemoryKind kind) {
  switch (kind) {
    case MemoryKind::goal: return "";
    case MemoryKind::todo: return "Tasks:\n";
    case MemoryKind::fact: return "Facts, newest first:\n";
  }
  return "";
}

}  // namespace

std::string_view name(MemoryKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }
std::string_view name(TodoStatus status) { return kStatusNames[static_cast<std::size_t>(status)]; }

std::optional<TodoStatus> parse_todo_status(std::string_view name) {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i)
    if (name == kStatusNames[i]) return static_cast<TodoStatus>(i);
  return std::nullopt;
}

std::string memory_message(const std::vector<MemoryEntry>& entries, std::size_t total, std::size_t bytes_max) {
  if (entries.empty()) return {};
  std::string message(kHeading);
  std::size_t shown = 0;
  std::optional<MemoryKind> begun, full;
  for (const auto& entry : entries) {
    if (full == entry.kind) continue;  // newer ones were too much already
    const auto heading = begun == entry.kind ? std::string_view() : section(entry.kind);
    const auto line = item(label(entry), entry, bytes_max / 4);
    // A long to-do list leaves half of the room to the facts.
    const auto room = entry.kind == MemoryKind::todo ? bytes_max / 2 : bytes_max - kTailBytes;
    if (message.size() + heading.size() + line.size() > room) {
      full = entry.kind;
      continue;
    }
    begun = entry.kind;
    message += heading;
    message += line;
    ++shown;
  }
  if (shown < total) message += "[" + std::to_string(total - shown) + " more are left out here]\n";
  message.pop_back();
  return message;
}

}  // namespace run
