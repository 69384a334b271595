#pragma once
// The words of a command line that ask for a run, checked one by one: for every command that launches.
#include <optional>
#include <string>

#include "cli/output.h"
#include "cli/process.h"
#include "run/spec.h"

namespace cli {

// A prompt as it was given; "-" is read from standard input.
Checked<std::string> read_prompt(std::string word);
// Any text as it was given; "-" is read from standard input. `what` it is, for the error.
Checked<std::string> read_text(std::string word, std::string_view what);
// Not empty, not too long, UTF-8.
Checked<> check_prompt(const std::string& prompt);

// The absolute work directory: of --cwd (`~` is the user's home), else `otherwise`, else the shell's.
Checked<std::string> work_directory(const std::optional<std::string>& cwd, const Settings& settings, const std::string& otherwise);

Checked<> apply_timeout(const std::optional<double>& seconds, run::Spec& spec);
// What --max-cost says in US dollars, in millionths of one.
Checked<std::int64_t> cost_limit(double dollars);
Checked<> apply_recovery(const std::optional<std::string>& policy, run::Spec& spec);

// Whether the model can be called from here, without making anything.
Checked<> check_model(Process& process, const run::Spec& spec);

// What a session is called after its first message.
std::string session_name_of(const run::Spec& spec);

}  // namespace cli
