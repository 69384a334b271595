#include <algorithm>

#include "base/error.h"
#include "base/limits.h"
#include "base/text.h"
#include "tool/arguments.h"
#include "tool/schema.h"
#include "tool/tool.h"

namespace tool {

namespace json = boost::json;

namespace {

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// What a model gets may be cut, but then it says how much is missing; both ends are kept, since errors stand at the end.
std::string bounded(std::string text) {
  if (!base::valid_utf8(text)) text = base::utf8_lossy(text);
  constexpr auto kMax = base::limits::kToolResultBytesMax;
  if (text.size() <= kMax) return text;
  const auto head = base::utf8_prefix(text, kMax / 2 - 64);
  const auto tail = base::utf8_suffix(text, kMax / 2 - 64);
  return std::string(head) + "\n[… " + std::to_string(text.size() - head.size() - tail.size()) + " bytes cut …]\n" +
         std::string(tail);
}

std::string not_found(const std::vector<const Definition*>& known, std::string_view name) {
  const auto word = base::utf8_lossy(base::utf8_prefix(name, 128));
  std::vector<std::string_view> names;
  for (const auto* definition : known) names.push_back(definition->name);
  std::string text = "Tool '" + word + "' not found.";
  if (const auto meant = base::nearest(word, names)) text += " Did you mean '" + std::string(*meant) + "'?";
  return text;
}

}  // namespace

struct Toolbox::Entry {
  std::unique_ptr<Tool> tool;
  std::optional<Schema> schema;    // none: the tool reads its arguments itself
  std::vector<std::string> names;  // lower case: the model's name first, then the aliases
};

namespace {

std::vector<std::string> names_of(const Definition& definition) {
  const auto module = base::to_lower(definition.module);
  const auto action = base::to_lower(definition.action);
  std::vector<std::string> names{base::to_lower(definition.name)};
  if (!module.empty() && !action.empty()) names.insert(names.end(), {module + "." + action, module + "__" + action});
  if (!action.empty() && !definition.from_outside) names.push_back(action);
  for (const auto& alias : definition.aliases) names.push_back(base::to_lower(alias));
  return names;
}

// What is ours must be right; a schema from outside that nobody follows is not even looked at.
std::optional<Schema> schema_of(const Definition& definition) {
  if (definition.from_outside && definition.reads_itself) return std::nullopt;
  auto schema = Schema::compile(definition.schema);
  if (!schema) throw base::Broken("tool " + definition.name + ": " + schema.error().message);
  return definition.reads_itself ? std::nullopt : std::optional(std::move(*schema));
}

}  // namespace

Toolbox::Toolbox(std::vector<std::unique_ptr<Tool>> tools) {
  for (auto& tool : tools) {
    const Definition& definition = tool->definition();
    // Names are part of the program, or were made to fit.
    ASSERT(valid_name(definition.name));
    auto names = names_of(definition);
    ASSERT(!by_name(names.front()));
    auto schema = schema_of(definition);
    entries_.push_back({.tool = std::move(tool), .schema = std::move(schema), .names = std::move(names)});
  }
}

Toolbox::Toolbox(std::vector<std::unique_ptr<Tool>> tools, const Toolbox& base) : Toolbox(std::move(tools)) { base_ = &base; }

SideEffect Tool::side_effect(const json::object&) const { return definition().side_effect; }

aio::Task<> Tool::end_run(std::string, std::int64_t) { co_return; }

aio::Task<base::Result<json::object>> Tool::output(Context, std::size_t) {
  co_return base::fail(base::Errc::unsupported, definition().name + " has no process");
}

aio::Task<base::Result<Sighting>> Tool::scan(Context, std::string, ScanFrom) {
  co_return base::fail(base::Errc::unsupported, definition().name + " has no process");
}

aio::Task<base::Result<>> Tool::send(Context, json::object) {
  co_return base::fail(base::Errc::unsupported, definition().name + " has no process");
}

Toolbox::~Toolbox() = default;

const Toolbox::Entry* Toolbox::by_name(std::string_view lower_name) const {
  const auto at = std::ranges::find_if(entries_, [&](const Entry& entry) { return entry.names.front() == lower_name; });
  if (at != entries_.end()) return &*at;
  return base_ ? base_->by_name(lower_name) : nullptr;
}

const Toolbox::Entry* Toolbox::by_alias(std::string_view lower_name) const {
  const auto at = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return std::ranges::find(entry.names, lower_name) != entry.names.end(); });
  if (at != entries_.end()) return &*at;
  return base_ ? base_->by_alias(lower_name) : nullptr;
}

// A name beats an alias: another module's action may be called like a tool.
const Toolbox::Entry* Toolbox::entry_of(std::string_view name) const {
  const auto lower = base::to_lower(base::trim(name));
  const auto* named = by_name(lower);
  return named ? named : by_alias(lower);
}

Tool* Toolbox::find(std::string_view name) const {
  const auto* found = entry_of(name);
  return found ? found->tool.get() : nullptr;
}

std::vector<const Definition*> Toolbox::definitions() const {
  std::vector<const Definition*> definitions;
  for (const auto& entry : entries_) definitions.push_back(&entry.tool->definition());
  if (base_) std::ranges::copy(base_->definitions(), std::back_inserter(definitions));
  return definitions;
}

aio::Task<Outcome> Toolbox::call(std::string name, std::string arguments, Context context) const {
  // Runs on the io thread.
  const auto* found = entry_of(name);
  if (!found) co_return Outcome{not_found(definitions(), name), true};
  auto accepted = found->schema ? accept_arguments(arguments, *found->schema) : object_of(arguments);
  if (!accepted) co_return Outcome{found->tool->definition().name + ": " + accepted.error().message, true};
  auto running = found->tool->call(std::move(*accepted), std::move(context));
  auto outcome = co_await std::move(running);
  outcome.text = bounded(std::move(outcome.text));
  co_return outcome;
}

}  // namespace tool
