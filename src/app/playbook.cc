#include "app/playbook.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "app/definition.h"
#include "app/effort.h"
#include "app/file.h"
#include "app/named_files.h"
#include "app/playbook_args.h"
#include "app/shape.h"
#include "base/limits.h"
#include "base/text.h"
#include "llm/model_spec.h"

namespace app {

namespace {

namespace limits = base::limits;
using Kind = Playbook::Kind;

constexpr std::string_view kKinds[] = {"flow", "agent", "fanout"};

constexpr Field kArtifact[] = {
    {"id", text(), Presence::required},
    {"path", text(), Presence::required},
    {"required", boolean()},
    {"description", text()},
};
constexpr Shape kArtifactShape = map_of(kArtifact);
constexpr Field kArtifacts[] = {{"expected", list(&kArtifactShape)}};

constexpr Shape workers_shape() {
  auto shape = or_also(integer(1, static_cast<double>(limits::kPlaybookWorkersMax)), kList);
  shape.each = &kTextItem;
  return shape;
}

const Field kPlaybook[] = {
    {"name", text()},
    {"description", text()},
    {"argument-hint", text()},
    {"kind", one_of(kKinds)},
    {"model", text()},
    {"agent", text()},
    {"effort", kEffortShape},
    {"prompt", text()},
    {"args", same_as(&kPlaybookArgsShape)},
    {"workers", workers_shape()},
    {"max_ops", integer(0, static_cast<double>(limits::kPlaybookOpsMax))},
    {"with_synthesis", or_also(boolean(), kText)},
    {"bare", boolean()},
    {"dry_run", boolean()},
    {"show_graph", boolean()},
    {"save", text()},
    {"team_mode", or_also(boolean(), kText)},
    {"team_attach", text()},
    {"reactive", boolean()},
    {"pack", text()},
    {"background", boolean()},
    {"artifacts", map_of(kArtifacts)},
};

// Keys that would do nothing in a playbook of another kind than flow.
struct Limited {
  std::string_view key;
  bool fanout = false;  // it means something to a fanout, too
};
constexpr Limited kLimited[] = {
    {"workers", true}, {"with_synthesis", true}, {"team_mode", true},   {"team_attach", false}, {"max_ops", false},
    {"bare", false},   {"dry_run", false},       {"show_graph", false}, {"reactive", false},    {"pack", false},
};

std::string text_of(const Node& map, std::string_view key) {
  const auto* node = map.find(key);
  return node ? std::string(base::trim(as_text(*node).value_or(""))) : "";
}

bool flag(const Node& map, std::string_view key) {
  const auto* node = map.find(key);
  return node && as_bool(*node) == true;
}

bool is_false(const Node& node) { return as_bool(node) == false || node.text == "0"; }

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void check_model(const std::string& path, const Node& node, Problems& problems) {
  if (!node.is_scalar()) return;
  if (const auto spec = llm::parse_model_spec(node.text); !spec)
    problems.add(path, shown(spec.error().message), node.mark, Code::provider);
}

void read_model(const Node& root, Playbook& playbook, Problems& problems) {
  playbook.model = text_of(root, "model");
  playbook.agent = text_of(root, "agent");
  playbook.effort = text_of(root, "effort");
  if (const auto* model = root.find("model")) check_model("model", *model, problems);
  if (const auto* agent = root.find("agent"); agent && agent->is_scalar() && !plain_name(playbook.agent))
    problems.add("agent", "must be the name of a profile, not a path", agent->mark, Code::format);
}

void read_workers(const Node& root, Playbook& playbook, Problems& problems) {
  const auto* workers = root.find("workers");
  if (!workers) return;
  if (const auto count = as_int(*workers)) playbook.workers = *count;
  if (!workers->is_list()) return;
  const auto count = static_cast<std::int64_t>(workers->items.size());
  if (count < 1 || count > limits::kPlaybookWorkersMax) {
    problems.add("workers", "must list 1 to " + std::to_string(limits::kPlaybookWorkersMax) + " models", workers->mark,
                 Code::range);
    return;
  }
  for (std::size_t i = 0; i < workers->items.size(); ++i) {
    if (workers->items[i].is_null()) problems.add(child("workers", i), "must be a model", workers->items[i].mark, Code::empty);
    check_model(child("workers", i), workers->items[i], problems);
    playbook.worker_models.emplace_back(base::trim(workers->items[i].text));
  }
  playbook.workers = count;
}

void read_synthesis(const Node& root, Playbook& playbook, Problems& problems) {
  const auto* node = root.find("with_synthesis");
  if (!node || !node->is_scalar()) return;
  if (const auto wanted = as_bool(*node)) {
    playbook.with_synthesis = *wanted;
    return;
  }
  check_model("with_synthesis", *node, problems);
  playbook.with_synthesis = true;
  playbook.synthesis_model = text_of(root, "with_synthesis");
}

void read_team(const Node& root, Playbook& playbook, Problems& problems) {
  const auto *mode = root.find("team_mode"), *attach = root.find("team_attach");
  if (mode && mode->is_scalar()) {
    const auto wanted = as_bool(*mode);
    // A fresh team is called after the kind of its runs where it has no name.
    playbook.team_mode = !wanted ? text_of(root, "team_mode") : *wanted ? std::string(name(playbook.kind)) : "";
    if (wanted != false && !plain_name(playbook.team_mode))
      problems.add("team_mode", "must be true, false or the name of a team", mode->mark, Code::format);
  }
  if (!attach || !attach->is_scalar()) return;
  playbook.team_attach = text_of(root, "team_attach");
  if (!plain_name(playbook.team_attach)) problems.add("team_attach", "must be the name of a team", attach->mark, Code::format);
  if (!playbook.team_mode.empty())
    problems.add("team_attach", "excludes team_mode: a fresh team, or one that exists", attach->mark, Code::choice);
}

void read_save(const Node& root, Playbook& playbook, Problems& problems) {
  const auto* save = root.find("save");
  if (!save || !save->is_scalar()) return;
  playbook.save = text_of(root, "save");
  if (playbook.save.empty() || playbook.save.size() > limits::kPlaybookPathBytesMax || has_control(playbook.save))
    problems.add("save", "must be a directory", save->mark, Code::format);
}

// A file below a directory, and never another one.
bool stays_below(const std::string& path) {
  if (path.empty() || path.size() > limits::kPlaybookPathBytesMax || path.front() == '/' || path.back() == '/' ||
      has_control(path))
    return false;
  const auto parts = base::split(path, '/');
  return std::ranges::find(parts, "..") == parts.end() && parts.back() != ".";
}

void read_artifacts(const Node& root, Playbook& playbook, Problems& problems) {
  const auto* artifacts = root.find("artifacts");
  const auto* expected = artifacts ? artifacts->find("expected") : nullptr;
  if (!expected || !expected->is_list()) return;
  if (expected->items.size() > limits::kPlaybookArtifactsMax) {
    problems.add("artifacts.expected", "lists more than " + std::to_string(limits::kPlaybookArtifactsMax) + " artifacts",
                 expected->mark, Code::range);
    return;
  }
  std::set<std::string> ids;
  for (std::size_t i = 0; i < expected->items.size(); ++i) {
    const auto& item = expected->items[i];
    const auto at = child("artifacts.expected", i);
    if (item.is_null()) problems.add(at, "must be a map", item.mark, Code::empty);
    PlaybookArtifact artifact;
    artifact.id = text_of(item, "id");
    artifact.path = text_of(item, "path");
    artifact.description = text_of(item, "description");
    if (const auto* required = item.find("required")) artifact.required = as_bool(*required) != false;
    if (const auto* id = item.find("id"); id && id->is_scalar()) {
      if (!plain_name(artifact.id))
        problems.add(child(at, "id"), "must be a name", id->mark, Code::format);
      else if (!ids.insert(artifact.id).second)
        problems.add(child(at, "id"), "this id stands here twice", id->mark, Code::duplicate_id);
    }
    if (const auto* path = item.find("path"); path && path->is_scalar() && !stays_below(artifact.path))
      problems.add(child(at, "path"), "must be the relative path of a file, without '..'", path->mark, Code::format);
    playbook.artifacts_expected.push_back(std::move(artifact));
  }
}

std::size_t offset_of(std::string_view text, Mark mark) {
  std::size_t at = 0;
  for (int line = 1; line < mark.line && at < text.size(); ++line) {
    const auto end = text.find('\n', at);
    at = end == text.npos ? text.size() : end + 1;
  }
  return std::min(text.size(), at + static_cast<std::size_t>(std::max(0, mark.column - 1)));
}

Mark mark_at(std::string_view text, std::size_t at) {
  const auto before = text.substr(0, at);
  const auto line = before.rfind('\n');
  const auto begin = line == before.npos ? 0 : line + 1;
  return {static_cast<int>(std::ranges::count(before, '\n')) + 1, static_cast<int>(at - begin) + 1};
}

// The prompt has lost its indentation and its quotes, so a placeholder is looked for in the file's own text.
void read_prompt(const Node& root, std::string_view file, Playbook& playbook, Problems& problems) {
  const auto* prompt = root.find("prompt");
  playbook.prompt = prompt ? as_text(*prompt).value_or("") : "{input}";
  if (!prompt) return;
  std::vector<std::string_view> names = {"input"};
  for (const auto& arg : playbook.args) names.push_back(arg.name);
  const auto begin = offset_of(file, prompt->mark);
  std::vector<Placeholder> written;
  std::size_t next = 0;
  for (const auto& place : placeholders_of(playbook.prompt)) {
    if (std::ranges::find(names, place.name) != names.end()) continue;
    if (problems.full()) return;
    if (written.empty()) written = placeholders_of(file.substr(begin));
    const auto from = written.begin() + static_cast<std::ptrdiff_t>(next);
    const auto found = std::ranges::find(from, written.end(), place.name, &Placeholder::name);
    auto mark = prompt->mark;
    if (found != written.end()) {
      mark = mark_at(file, begin + found->at);
      next = static_cast<std::size_t>(found - written.begin()) + 1;
    }
    problems.add("prompt",
                 "there is no argument '" + shown(place.name) + "'" + did_you_mean(place.name, names) +
                     " (braces that are meant are written {{" + shown(place.name) + "}})",
                 mark, Code::placeholder_unknown);
  }
}

void check_kind(const Node& root, const Playbook& playbook, Problems& problems) {
  for (const auto& limited : kLimited) {
    const auto* node = root.find(limited.key);
    if (!node || playbook.kind == Kind::flow || (limited.fanout && playbook.kind == Kind::fanout) || is_false(*node)) continue;
    problems.add(limited.key, "has no effect in a playbook of kind " + std::string(name(playbook.kind)), node->mark,
                 Code::choice);
  }
  for (const std::string_view key : {"reactive", "pack"})
    if (const auto* node = root.find(key); node && !is_false(*node)) problems.warn(key, "has no effect yet", node->mark);
}

std::string name_of(std::string_view file_name) {
  const auto name = std::filesystem::path(file_name).filename().string();
  if (name.ends_with(kPlaybookEnding)) return name.substr(0, name.size() - kPlaybookEnding.size());
  return std::filesystem::path(name).stem().string();
}

void read_root(const Node& root, std::string_view file, Playbook& playbook, Problems& problems) {
  check_shape(root, map_of(kPlaybook), "", problems);
  if (const auto* given = root.find("name"); given && given->is_scalar() && text_of(root, "name") != playbook.name)
    problems.warn("name", "the playbook is found by the name of its file, '" + shown(playbook.name) + "'", given->mark);
  playbook.description = text_of(root, "description");
  playbook.argument_hint = text_of(root, "argument-hint");
  const auto kind = std::ranges::find(kKinds, text_of(root, "kind"));
  if (kind != std::end(kKinds)) playbook.kind = static_cast<Kind>(kind - std::begin(kKinds));
  read_model(root, playbook, problems);
  playbook.args = read_playbook_args(root.find("args"), problems);
  read_prompt(root, file, playbook, problems);
  read_workers(root, playbook, problems);
  if (const auto* ops = root.find("max_ops")) playbook.max_ops = as_int(*ops).value_or(0);
  read_synthesis(root, playbook, problems);
  playbook.bare = flag(root, "bare");
  playbook.dry_run = flag(root, "dry_run");
  playbook.show_graph = flag(root, "show_graph");
  playbook.reactive = flag(root, "reactive");
  playbook.background = flag(root, "background");
  playbook.pack = text_of(root, "pack");
  read_save(root, playbook, problems);
  read_team(root, playbook, problems);
  read_artifacts(root, playbook, problems);
  check_kind(root, playbook, problems);
}

// The playbook; where its profile stands comes with it, for those who look whether there is one.
std::optional<Playbook> read(std::string_view text, std::string_view file_name, Problems& problems, Mark& agent) {
  const auto root = parse_yaml(text, problems);
  if (!root) return std::nullopt;
  if (!root->is_map()) {
    problems.add("", root->is_null() ? "the file is empty" : "a playbook is a map: 'key: value' lines", root->mark,
                 root->is_null() ? Code::empty : Code::unexpected_type);
    return std::nullopt;
  }
  Playbook playbook;
  playbook.file = file_name;
  playbook.name = name_of(file_name);
  read_root(*root, text, playbook, problems);
  if (const auto* node = root->find("agent")) agent = node->mark;
  if (!problems.empty()) return std::nullopt;
  playbook.warnings = problems.warning_texts();
  return playbook;
}

void check_profile(const Playbook& playbook, Mark mark, const llm::Environment& environment, const std::string& cwd,
                   const std::string& home, Problems& problems) {
  if (playbook.agent.empty()) return;
  const auto path = find_profile(playbook.agent, cwd, home);
  if (!path) {
    auto message = path.error().message;
    if (const auto line = message.find('\n'); line != message.npos) message.replace(line, 1, "; ");
    problems.add("agent", message, mark, Code::agent);
  } else if (!load_profile(*path, environment)) {
    problems.add("agent", "its profile is wrong: outlast check " + shown(*path), mark, Code::agent);
  }
}

}  // namespace

std::string_view name(Playbook::Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

std::optional<Playbook> read_playbook(std::string_view text, std::string_view file_name, Problems& problems) {
  Mark agent;
  return read(text, file_name, problems, agent);
}

base::Result<Playbook> load_playbook(const std::string& path, const llm::Environment&) {
  const auto file = read_text_file(path);
  if (!file) return std::unexpected(file.error());
  Problems problems{path};
  auto playbook = read_playbook(file->text, path, problems);
  if (!playbook) return std::unexpected(problems.error());
  return std::move(*playbook);
}

base::Result<CheckedPlaybook> check_playbook(const std::string& path, const llm::Environment& environment, const std::string& cwd,
                                             const std::string& home) {
  const auto file = read_text_file(path);
  if (!file) return std::unexpected(file.error());
  Problems problems{path};
  Mark agent;
  auto playbook = read(file->text, path, problems, agent);
  if (playbook) check_profile(*playbook, agent, environment, cwd, home, problems);
  if (!problems.empty()) playbook.reset();
  CheckedPlaybook checked{path, problems.errors(), problems.warnings(), problems.left_out(), std::move(playbook)};
  sort_by_position(checked.errors);
  sort_by_position(checked.warnings);
  return checked;
}

}  // namespace app
