#pragma once
// Where Claude Code keeps the transcript of a session. Blocks for a moment: it looks at directories.
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "cli/process.h"
#include "store/assignment.h"

namespace cli {

// The name of its directory for sessions that were started in `path`; "" where that name is shortened, which is not known here.
std::string claude_project(std::string_view path);

struct TranscriptSearch {
  std::string config_directory;  // CLAUDE_CONFIG_DIR, else ~/.claude
  std::string work_directory, session_id;
};
// The file, or both places that were tried.
std::expected<std::string, std::string> find_claude_transcript(const TranscriptSearch& search);
// In the home of this process' user.
TranscriptSearch transcript_search(const store::Assignment& task, const Settings& settings);

// Whether the task's harness keeps transcripts that can be read here.
bool keeps_transcripts(const store::Assignment& task);
// The file of the task's session, where there is one.
std::optional<std::string> transcript_path(const store::Assignment& task, const Settings& settings);

}  // namespace cli
