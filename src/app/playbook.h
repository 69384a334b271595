#pragma once
// Playbooks: `<name>.playbook.yaml`, a prompt with named places in it and the settings of the runs that it starts. Reading one
// starts nothing. Unknown keys and unknown placeholders are errors.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/problems.h"
#include "base/error.h"
#include "llm/registry.h"

namespace app {

inline constexpr std::string_view kPlaybookEnding = ".playbook.yaml";

// A value that whoever plays it may or must give.
struct PlaybookArg {
  enum class Type { string, integer, number, boolean, choice };
  std::string name;
  Type type = Type::string;
  std::vector<std::string> choices;          // of a choice
  std::optional<std::string> default_value;  // as arg_value gives it
  std::string help;
  bool required = false;
};
// "string", "int", "number", "bool", "choice".
std::string_view name(PlaybookArg::Type type);

// A file that its run promises to leave behind, not empty, below the directory that it saves into.
struct PlaybookArtifact {
  std::string id;    // unique in the playbook
  std::string path;  // relative, without ".."
  bool required = true;
  std::string description;
};

struct Playbook {
  enum class Kind { flow, agent, fanout };
  std::string name;  // by which it is found: of its file
  std::string file;  // as it was named
  std::string description;
  std::string argument_hint;
  std::string model;   // PROVIDER/MODEL[-EFFORT], "" none
  std::string agent;   // a profile, "" none
  std::string effort;  // "" none; wins over the model's suffix
  std::string prompt;  // with its placeholders; see filled_prompt
  std::vector<PlaybookArg> args;
  std::int64_t workers = 0;                // 1..32; 0: not said
  std::vector<std::string> worker_models;  // where they were listed, `workers` of them
  std::int64_t max_ops = 0;                // ..50; 0: no cap
  bool with_synthesis = false;
  std::string synthesis_model;  // "": the orchestrator's
  bool bare = false, dry_run = false, show_graph = false, reactive = false, background = false;
  std::string save;         // a directory, "" none
  std::string team_mode;    // the name of a fresh team, "" none
  std::string team_attach;  // the name of an existing one, "" none; never both
  std::string pack;
  Kind kind = Kind::flow;
  std::vector<PlaybookArtifact> artifacts_expected;
  std::vector<std::string> warnings;
};
// "flow", "agent", "fanout".
std::string_view name(Playbook::Kind kind);

// Nothing where `problems` has an error afterwards.
std::optional<Playbook> read_playbook(std::string_view text, std::string_view file_name, Problems& problems);
// All problems together in one Errc::invalid_argument. Templates are not resolved: `{{` has another meaning here.
base::Result<Playbook> load_playbook(const std::string& path, const llm::Environment& environment);

// A playbook as its author wants to see it before anybody plays it.
struct CheckedPlaybook {
  std::string file;
  std::vector<Problem> errors, warnings;  // by position
  std::size_t errors_left_out = 0;        // beyond those told
  std::optional<Playbook> playbook;       // where there is no error
};
// Looks for its profile, too, and at it. Errc::not_found, unavailable, invalid_argument (no regular file): nothing to check.
base::Result<CheckedPlaybook> check_playbook(const std::string& path, const llm::Environment& environment, const std::string& cwd,
                                             const std::string& home);

struct FoundPlaybook {
  std::string name, file;
};
// Looked for in .outlast/playbooks as find_profile looks for profiles. Not found: the message is "Playbook 'x' not
// found\nAvailable: a, b".
base::Result<std::string> find_playbook(std::string_view name, const std::string& cwd, const std::string& home);
// Those that can be found by their name, in its order.
std::vector<FoundPlaybook> list_playbooks(const std::string& cwd, const std::string& home);

// The text as a value of the argument, or why it is none ("must be an integer, not 'x'"). A bool becomes "true" or "false".
base::Result<std::string> arg_value(const PlaybookArg& arg, std::string_view text);

// What may stand in a prompt as {name}.
bool placeholder_name(std::string_view name);

// Each {name} in order, with where it stands in the prompt. {{name}} is none: it is {name} in so many letters, as is any other
// brace that encloses no name.
struct Placeholder {
  std::string_view name;
  std::size_t at = 0;
};
std::vector<Placeholder> placeholders_of(std::string_view prompt);

// The prompt with {input} and every {arg} replaced; an argument that is not given has its default, else nothing. Input that the
// prompt has no place for follows below it. What does not fit is told together, in one Errc::invalid_argument.
base::Result<std::string> filled_prompt(const Playbook& playbook, const std::map<std::string, std::string>& args,
                                        const std::string& input);

}  // namespace app
