#include "cli/play.h"

#include <filesystem>

#include "app/playbook.h"
#include "base/json.h"
#include "cli/output.h"
#include "cli/play_run.h"
#include "cli/problem_lines.h"
#include "cli/process.h"

namespace cli {

namespace {

namespace json = boost::json;

constexpr std::size_t kNameColumns = 20, kDescriptionColumns = 72;

std::string current_directory() {
  std::error_code ec;
  return std::filesystem::current_path(ec).string();
}

// "depth:int", "[depth:int=3]" where it need not be given.
std::string arg_text(const app::PlaybookArg& arg) {
  auto text = arg.name;
  if (arg.type != app::PlaybookArg::Type::string) text += ":" + std::string(app::name(arg.type));
  for (const auto& choice : arg.choices) text += (&choice == &arg.choices.front() ? "(" : "|") + choice;
  if (!arg.choices.empty()) text += ")";
  if (arg.default_value) text += "=" + *arg.default_value;
  return one_line(arg.required ? text : "[" + text + "]", kDescriptionColumns);
}

std::string args_text(const app::Playbook& playbook) {
  std::string text;
  for (const auto& arg : playbook.args) text += (text.empty() ? "" : " ") + arg_text(arg);
  return text;
}

std::string model_text(const app::Playbook& playbook) {
  auto text = playbook.model.empty() ? "(no model)" : playbook.model;
  if (!playbook.agent.empty()) text = (playbook.model.empty() ? "" : text + ", ") + "profile " + playbook.agent;
  return text + (playbook.effort.empty() ? "" : ", effort " + playbook.effort);
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

json::array args_json(const app::Playbook& playbook) {
  json::array list;
  for (const auto& arg : playbook.args) {
    json::object one{{"name", arg.name},
                     {"type", app::name(arg.type)},
                     {"required", arg.required},
                     {"default", arg.default_value ? json::value(*arg.default_value) : json::value(nullptr)},
                     {"help", arg.help}};
    if (!arg.choices.empty()) one["choices"] = json::array(arg.choices.begin(), arg.choices.end());
    list.push_back(std::move(one));
  }
  return list;
}

json::array artifacts_json(const app::Playbook& playbook) {
  json::array list;
  for (const auto& artifact : playbook.artifacts_expected)
    list.push_back(json::object{
        {"id", artifact.id}, {"path", artifact.path}, {"required", artifact.required}, {"description", artifact.description}});
  return list;
}

json::object playbook_json(const app::Playbook& playbook) {
  return {{"name", playbook.name},
          {"kind", app::name(playbook.kind)},
          {"description", playbook.description},
          {"argument_hint", playbook.argument_hint},
          {"model", text_or_null(playbook.model)},
          {"agent", text_or_null(playbook.agent)},
          {"effort", text_or_null(playbook.effort)},
          {"args", args_json(playbook)},
          {"artifacts", artifacts_json(playbook)}};
}

void print_summary(const app::Playbook& playbook) {
  put_line(harmless("playbook " + playbook.name + ": " + std::string(app::name(playbook.kind)) + ", " + model_text(playbook)));
  if (!playbook.args.empty()) put_line("args: " + args_text(playbook));
  for (const auto& artifact : playbook.artifacts_expected)
    put_line(harmless("artifact " + artifact.id + ": " + artifact.path + (artifact.required ? "" : " (may be missing)")));
}

int list_all(const Settings& settings, bool as_json) {
  json::array list;
  for (const auto& found : app::list_playbooks(current_directory(), settings.home)) {
    const auto playbook = app::load_playbook(found.file, settings.environment);
    if (as_json) {
      auto one = playbook ? playbook_json(*playbook) : json::object{{"name", found.name}};
      one["file"] = found.file;
      one["ok"] = playbook.has_value();
      list.push_back(std::move(one));
      continue;
    }
    auto line = padded(one_line(found.name, kNameColumns * 4), kNameColumns);
    line += "  " + (playbook ? one_line(playbook->description, kDescriptionColumns)
                             : "(wrong: outlast play check " + one_line(found.name, kNameColumns * 4) + ")");
    put_line(line.substr(0, line.find_last_not_of(' ') + 1));
    if (playbook && !playbook->args.empty()) put_line(std::string(kNameColumns + 2, ' ') + args_text(*playbook));
    list.emplace_back(nullptr);
  }
  if (as_json)
    put_line(base::to_text(json::object{{"playbooks", std::move(list)}}));
  else if (list.empty())
    note("No playbooks. One is NAME.playbook.yaml in .outlast/playbooks of a project, or in " + settings.home + "/playbooks.");
  return kOk;
}

// A name has no slash and no ending; a file that is named by its path may lie anywhere.
bool is_path(const std::string& target) {
  return target.find('/') != target.npos || target.ends_with(".yaml") || target.ends_with(".yml");
}

std::string verdict(const app::CheckedPlaybook& checked) {
  const auto warnings = counted(checked.warnings.size(), "warning");
  return checked.playbook ? "ok: " + warnings
                          : "wrong: " + counted(checked.errors.size() + checked.errors_left_out, "error") + ", " + warnings;
}

int check_one(const Settings& settings, const std::string& target, bool as_json) {
  const auto cwd = current_directory();
  const auto file = is_path(target) ? base::Result<std::string>(target) : app::find_playbook(target, cwd, settings.home);
  if (!file) return complain(file.error());
  const auto checked = app::check_playbook(*file, settings.environment, cwd, settings.home);
  if (!checked) return complain(kUsage, checked.error().message);
  if (as_json) {
    json::object one{{"ok", checked->playbook.has_value()},
                     {"file", checked->file},
                     {"errors", problems_json(checked->errors)},
                     {"warnings", problems_json(checked->warnings)},
                     {"playbook", checked->playbook ? json::value(playbook_json(*checked->playbook)) : json::value(nullptr)}};
    if (checked->errors_left_out) one["errors_left_out"] = checked->errors_left_out;
    put_line(base::to_text(one));
  } else {
    print_problems({checked->file, checked->errors, checked->warnings, checked->errors_left_out});
    if (checked->playbook) print_summary(*checked->playbook);
    put_line(verdict(*checked));
  }
  return checked->playbook ? kOk : kFailed;
}

int play_one(const PlayOptions& options) {
  const auto settings = load_settings();
  if (!settings) return complain(kUnusable, settings.error().message);
  const auto file = is_path(options.name) ? base::Result<std::string>(options.name) : app::find_playbook(options.name, current_directory(), settings->home);
  if (!file) return complain(file.error());
  const auto playbook = app::load_playbook(*file, settings->environment);
  if (!playbook) return complain(kFailed, playbook.error().message);
  for (const auto& warning : playbook->warnings) warn(warning);
  return play_playbook(*playbook, options.words);
}

}  // namespace

int run_play(const PlayOptions& options) {
  if (options.name != "list" && options.name != "check") return play_one(options);
  if (options.name == "check" && !options.target) return complain(kUsage, "a playbook is required: outlast play check NAME|FILE");
  if (options.name == "list" && options.target)
    return complain(kUsage, "unexpected '" + *options.target + "'; outlast play list takes no name");
  const auto settings = load_settings();
  if (!settings) return complain(kUnusable, settings.error().message);
  return options.name == "list" ? list_all(*settings, options.json) : check_one(*settings, *options.target, options.json);
}

}  // namespace cli
