#include "app/profile.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "app/catalogue.h"
#include "app/effort.h"
#include "app/file.h"
#include "app/problems.h"
#include "app/recovery_key.h"
#include "app/shape.h"
#include "app/yaml.h"
#include "base/text.h"
#include "llm/model_spec.h"

namespace app {

namespace {

constexpr Field kProfile[] = {
    {"model", text()},
    {"name", text()},
    {"description", text()},
    {"role", text()},
    {"provider", text()},
    {"effort", kEffortShape},
    {"yolo", boolean()},
    {"bypass", boolean()},
    {"timeout", positive()},
    {"tools", or_also(texts(), kText)},
    {"recovery", kRecoveryShape},
};
constexpr Shape kProfileShape = map_of(kProfile);

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct Parts {
  std::string_view front;  // between the "---" lines
  std::string_view body;
  bool has_front = false;
  bool closed = true;
};

bool fence(std::string_view line) { return line.starts_with("---") && base::trim(line.substr(3)).empty(); }

// Front matter begins in the first line of the file, or there is none.
Parts split_parts(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Parts parts;
  parts.body = text;
  const auto first_end = text.find('\n');
  if (!fence(text.substr(0, first_end))) return parts;
  parts.has_front = true;
  parts.closed = false;
  std::size_t at = first_end == std::string_view::npos ? text.size() : first_end + 1;
  const auto begin = at;
  while (at < text.size()) {
    const auto end = text.find('\n', at);
    const auto next = end == std::string_view::npos ? text.size() : end + 1;
    if (fence(text.substr(at, end == std::string_view::npos ? end : end - at))) {
      parts.front = text.substr(begin, at - begin);
      parts.body = text.substr(next);
      parts.closed = true;
      return parts;
    }
    at = next;
  }
  return parts;
}

std::string text_of(const Node& map, std::string_view key) {
  const auto* node = map.find(key);
  return node ? std::string(base::trim(as_text(*node).value_or(""))) : "";
}

void read_model(const Node& front, Brain& brain, Problems& problems) {
  const auto provider = text_of(front, "provider");
  auto model = text_of(front, "model");
  if (!provider.empty() && model.empty())
    problems.add("model", "is required where provider is given", front.find("provider")->mark, Code::missing);
  if (!model.empty()) {
    if (!provider.empty() && !model.starts_with(provider + "/")) model = provider + "/" + model;
    if (const auto spec = llm::parse_model_spec(model)) {
      brain.provider = spec->provider;
      brain.model = spec->model;
      brain.effort = spec->effort;
      brain.endpoint.provider = spec->provider;
    } else {
      problems.add("model", shown(spec.error().message), front.find("model")->mark, Code::provider);
    }
  }
  // One that is no such word is told already, by its shape.
  if (const auto effort = text_of(front, "effort"); llm::valid_effort(effort)) brain.effort = effort;
}

// Reading needs nobody's consent; changing files does, unless the profile says yolo (or bypass, which says more).
Gate gate_of(const KnownTool& tool, bool auto_approve) {
  return auto_approve || tool.risk == Risk::low ? Gate::allow : Gate::approve;
}

struct Word {
  std::string text;
  Mark mark;
};

// A list, or names with commas between them.
std::vector<Word> words_of(const Node& node) {
  std::vector<Word> words;
  if (node.is_scalar())
    for (const auto part : base::split(node.text, ','))
      if (const auto word = base::trim(part); !word.empty()) words.push_back({std::string(word), node.mark});
  for (const auto& item : node.items)
    if (const auto text = as_text(item)) words.push_back({std::string(base::trim(*text)), item.mark});
  return words;
}

void read_tools(const Node& front, bool auto_approve, Agent& agent, Problems& problems) {
  const auto add = [&](const KnownTool& tool) {
    const bool there =
        std::any_of(agent.tools.begin(), agent.tools.end(), [&](const ToolGrant& grant) { return grant.name == tool.name; });
    if (!there) agent.tools.push_back({std::string(tool.name), gate_of(tool, auto_approve)});
  };
  const auto* node = front.find("tools");
  const auto all = [&] {
    for (const auto& tool : known_tools())
      if (tool.exists == Exists::now && tool.offer == Offer::by_default) add(tool);
  };
  if (!node) return all();
  std::vector<std::string_view> names;
  for (const auto& tool : known_tools()) names.push_back(tool.name);
  for (const auto& word : words_of(*node)) {
    if (word.text == "*") {
      all();
    } else if (const auto* tool = find_tool(word.text); !tool) {
      problems.add("tools", "there is no tool '" + shown(word.text) + "'" + did_you_mean(word.text, names), word.mark,
                   Code::tool);
    } else if (tool->exists == Exists::later) {
      problems.warn("tools", "'" + std::string(tool->name) + "' is not available yet", word.mark);
    } else {
      add(*tool);
    }
  }
}

bool flag(const Node& front, std::string_view key) {
  const auto* node = front.find(key);
  return node && as_bool(*node) == true;
}

void read_front(const Node& front, Agent& agent, Problems& problems) {
  check_shape(front, kProfileShape, "", problems);
  read_model(front, agent.brain, problems);
  if (auto name = text_of(front, "name"); !name.empty()) agent.name = std::move(name);
  agent.description = text_of(front, "description");
  if (agent.description.empty()) agent.description = text_of(front, "role");
  if (const auto* timeout = front.find("timeout"))
    if (const auto seconds = as_number(*timeout); seconds && *seconds > 0 && *seconds < 1e9)
      agent.timeout_ms = static_cast<std::int64_t>(std::llround(*seconds * 1000));
  read_tools(front, flag(front, "yolo") || flag(front, "bypass"), agent, problems);
  read_recovery(front.find("recovery"), "recovery", agent, problems);
}

}  // namespace

std::optional<Agent> read_profile(std::string_view text, std::string_view id, Problems& problems) {
  if (!check_bytes(text, problems)) return std::nullopt;
  const auto parts = split_parts(text);
  Agent agent;
  agent.id = id;
  agent.name = id;
  if (agent.id.empty() || agent.id.size() > 128) problems.add("", "a profile's name has 1 to 128 bytes", {}, Code::range);
  if (!parts.closed) problems.add("", "the front matter is not closed: a line '---' is missing after it", {1, 1}, Code::syntax);
  if (!problems.empty()) return std::nullopt;

  Node front;
  if (parts.has_front) {
    auto parsed = parse_yaml(parts.front, problems, 2);
    if (!parsed) return std::nullopt;
    front = std::move(*parsed);
    if (!front.is_null() && !front.is_map())
      problems.add("", "the front matter must be 'key: value' lines", front.mark, Code::unexpected_type);
  }
  read_front(front, agent, problems);
  agent.system_prompt = std::string(base::trim(parts.body));
  if (!problems.empty()) return std::nullopt;
  agent.warnings = problems.warning_texts();
  return agent;
}

base::Result<Agent> parse_profile(std::string_view text, std::string_view file_name, std::string_view id) {
  Problems problems{std::string(file_name)};
  auto agent = read_profile(text, id, problems);
  if (!agent) return std::unexpected(problems.error());
  return std::move(*agent);
}

std::string profile_id(const std::string& path) { return std::filesystem::path(path).stem().string(); }

base::Result<Agent> load_profile(const std::string& path, const llm::Environment&) {
  const auto file = read_text_file(path);
  if (!file) return std::unexpected(file.error());
  return parse_profile(file->text, path, profile_id(path));
}

}  // namespace app
