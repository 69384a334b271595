#include "cli/task_transcript.h"

#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/claude_messages.h"
#include "cli/claude_transcript.h"
#include "cli/store_command.h"
#include "cli/task_desk.h"

namespace cli {

namespace json = boost::json;

namespace {

constexpr std::size_t kReadBytes = 256 << 10;

// Gives the lines of a file one by one; one that is too long comes as its beginning, which is no JSON.
class LineReader {
 public:
  explicit LineReader(const std::string& path) : file_(std::fopen(path.c_str(), "re"), &close) {}
  bool is_open() const { return file_ != nullptr; }

  bool next(std::string& line) {
    line.clear();
    for (bool any = false;; any = true) {
      if (at_ == have_.size() && !fill()) return any;
      const auto end = have_.find('\n', at_);
      const auto piece = std::string_view(have_).substr(at_, end == std::string::npos ? std::string::npos : end - at_);
      if (line.size() <= kTranscriptLineBytesMax) line += piece;
      at_ = end == std::string::npos ? have_.size() : end + 1;
      if (end != std::string::npos) return true;
    }
  }

 private:
  static void close(std::FILE* file) { std::fclose(file); }
  bool fill() {
    have_.resize(kReadBytes);
    have_.resize(std::fread(have_.data(), 1, have_.size(), file_.get()));
    at_ = 0;
    return !have_.empty();
  }

  std::unique_ptr<std::FILE, void (*)(std::FILE*)> file_;
  std::string have_;
  std::size_t at_ = 0;
};

// The task, and where its transcript lies.
struct Found {
  store::Assignment task;
  std::string path;
};

Checked<std::string> look_for(const store::Assignment& task, const Settings& settings) {
  if (task.session_id.empty())
    return refuse(kFailed, "task '" + task.slug + "' has no session yet; `outlast task do " + task.slug + "` starts one");
  if (!keeps_transcripts(task))
    return refuse(kFailed, "transcripts of " + task.harness + " cannot be read here; " +
                               (task.run_id.empty() ? "its program has them"
                                                    : "`outlast logs " + task.run_id + "` has what it said and did"));
  auto path = find_claude_transcript(transcript_search(task, settings));
  if (path) return *std::move(path);
  return refuse(kFailed, "no transcript of session " + task.session_id + ": " + path.error() +
                             (task.run_id.empty() ? "" : "; `outlast logs " + task.run_id + "` has what Outlast saw of it"));
}

aio::Task<int> find(Process& process, const std::optional<std::string>& reference, Found& found) {
  const auto task = co_await task_of(process, reference);
  if (!task) co_return complain(task.error());
  const auto path = look_for(*task, process.settings);
  if (!path) co_return complain(path.error());
  found = {*task, *path};
  co_return kOk;
}

void print_json(LineReader& lines, const Found& found, Compact compact) {
  const json::object head{{"slug", found.task.slug}, {"session_id", found.task.session_id}, {"path", found.path}};
  auto opening = base::to_text(head);
  opening.pop_back();
  put(opening + ",\"entries\":[");
  std::string line;
  bool first = true;
  while (lines.next(line))
    for (const auto& part : read_transcript_line(line)) {
      if (!is_shown(part, compact)) continue;
      put((first ? "\n " : ",\n ") + base::to_text(part_json(part)));
      first = false;
    }
  put("]}\n");
}

void print_text(LineReader& lines, Compact compact) {
  const bool terminal = out_is_terminal();
  std::string line;
  while (lines.next(line))
    for (const auto& part : read_transcript_line(line)) {
      if (!is_shown(part, compact)) continue;
      const auto text = part_text(part);
      put(terminal ? harmless(text) : text);
    }
}

}  // namespace

int run_task_transcript(const TaskTranscriptOptions& options) {
  Found found;
  const auto code = with_store([&](Process& process) { return find(process, options.task, found); });
  if (code != kOk) return code;
  // The file may be long: it is read when the store is closed, and nothing else waits.
  LineReader lines(found.path);
  if (!lines.is_open()) return complain(kFailed, found.path + " cannot be read");
  const auto compact = options.compact ? Compact::yes : Compact::no;
  if (options.json)
    print_json(lines, found, compact);
  else
    print_text(lines, compact);
  return kOk;
}

}  // namespace cli
