#include "cli/claude_transcript.h"

#include <algorithm>
#include <filesystem>

namespace cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKeeper = "claude";  // formats of others are not read
constexpr std::size_t kProjectBytesMax = 200;   // a longer name is cut and given a hash

bool is_word(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// One that is part of a path is no session.
bool is_session(std::string_view id) {
  return !id.empty() && std::ranges::all_of(id, [](char c) { return is_word(c) || c == '-' || c == '_'; });
}

}  // namespace

std::string claude_project(std::string_view path) {
  // Each UTF-16 unit of something else becomes a dash: one for a letter beyond ASCII, two for a character beyond 16 bits.
  std::string name;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_word(c))
      name += c;
    else if ((byte & 0xC0u) != 0x80u)
      name += byte >= 0xF0u ? "--" : "-";
  }
  return name.size() > kProjectBytesMax ? std::string() : name;
}

std::expected<std::string, std::string> find_claude_transcript(const TranscriptSearch& search) {
  const auto projects = search.config_directory + "/projects";
  const auto file = search.session_id + ".jsonl";
  const auto project = claude_project(search.work_directory);
  const auto direct = projects + "/" + project + "/" + file;
  std::error_code ec;
  const bool valid = is_session(search.session_id);
  if (valid && !project.empty() && fs::is_regular_file(direct, ec)) return direct;
  std::string newest;
  fs::file_time_type newest_time;
  for (fs::directory_iterator at(projects, ec), end; valid && !ec && at != end; at.increment(ec)) {
    const auto path = at->path() / file;
    std::error_code missing;
    const auto time = fs::last_write_time(path, missing);
    if (missing || (!newest.empty() && time <= newest_time)) continue;
    newest = path.string();
    newest_time = time;
  }
  if (!newest.empty()) return newest;
  if (project.empty()) return std::unexpected(projects + "/*/" + file + " is not there");
  return std::unexpected("neither " + direct + " nor " + projects + "/*/" + file + " is there");
}

TranscriptSearch transcript_search(const store::Assignment& task, const Settings& settings) {
  const auto configured = settings.environment("CLAUDE_CONFIG_DIR");
  return {.config_directory = configured ? *configured : settings.environment("HOME").value_or("") + "/.claude",
          .work_directory = task.work_dir,
          .session_id = task.session_id};
}

bool keeps_transcripts(const store::Assignment& task) { return task.harness == kKeeper; }

std::optional<std::string> transcript_path(const store::Assignment& task, const Settings& settings) {
  if (task.session_id.empty() || !keeps_transcripts(task)) return std::nullopt;
  auto found = find_claude_transcript(transcript_search(task, settings));
  if (!found) return std::nullopt;
  return *std::move(found);
}

}  // namespace cli
