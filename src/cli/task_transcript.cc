#include "cli/task_transcript.h"

#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/claude_messages.h"
#include "cli/claude_transcript.h"
#include "cli/run_messages.h"
#include "cli/store_command.h"
#include "cli/task_desk.h"

namespace cli {

namespace json = boost::json;

namespace {

constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::int64_t kRunsMax = 10'000;

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

enum class Form { text, json };

// Prints parts as they come.
class Printer {
 public:
  explicit Printer(const TaskTranscriptOptions& options)
      : compact_(options.compact ? Compact::yes : Compact::no),
        form_(options.json ? Form::json : Form::text),
        terminal_(out_is_terminal()) {}

  void begin(const store::Assignment& task, const std::string& path) {
    if (form_ == Form::text) return;
    auto head = base::to_text(json::object{
        {"slug", task.slug}, {"session_id", task.session_id}, {"path", path.empty() ? json::value() : json::value(path)}});
    head.pop_back();
    put(head + ",\"entries\":[");
  }
  void add(const std::vector<TranscriptPart>& parts) {
    for (const auto& part : parts) {
      if (!is_shown(part, compact_)) continue;
      if (form_ == Form::json) {
        put((first_ ? "\n " : ",\n ") + base::to_text(part_json(part)));
      } else {
        const auto text = part_text(part);
        put(terminal_ ? harmless(text) : text);
      }
      first_ = false;
    }
  }
  void end() {
    if (form_ == Form::json) put("]}\n");
  }

 private:
  const Compact compact_;
  const Form form_;
  const bool terminal_;
  bool first_ = true;
};

// The task, and where its transcript lies; "": it was rendered from its runs.
struct Found {
  store::Assignment task;
  std::string path;
};

Checked<std::string> claude_file(const store::Assignment& task, const Settings& settings) {
  auto path = find_claude_transcript(transcript_search(task, settings));
  if (path) return *std::move(path);
  return refuse(kFailed, "no transcript of session " + task.session_id + ": " + path.error() +
                             (task.run_id.empty() ? "" : "; `outlast logs " + task.run_id + "` has what Outlast saw of it"));
}

aio::Task<> print_run(store::Store& store, store::Run run, Printer& printer) {
  RunMessages messages;
  std::vector<TranscriptPart> parts;
  for (std::uint64_t at = run.first_kept;;) {
    const auto slice = co_await store.read(run.number, at);
    if (!slice.count) break;
    at = slice.end();
    for (const auto line : base::split(*slice.lines, '\n'))
      if (const auto event = run::decode(line)) messages.add(*event, parts);
    printer.add(parts);
    parts.clear();
  }
  messages.finish(parts);
  printer.add(parts);
}

// Of a harness whose own file is not read: what its runs have heard and said here.
aio::Task<int> print_runs(Process& process, store::Assignment task, Printer& printer) {
  const auto newest = co_await present(process, task.run_id);
  if (!newest)
    co_return complain(kFailed, "transcripts of " + task.harness + " cannot be read here, and no run of task '" + task.slug +
                                    "' is left; its own program has what was said");
  store::RunFilter filter;
  filter.component_type = store::kKindHarness;
  filter.session_id = newest->session_id;
  filter.ascending = true;
  filter.limit = kRunsMax;
  const auto runs = co_await process.store->list_runs(filter);
  printer.begin(task, "");
  for (const auto& run : runs.items) co_await print_run(*process.store, run, printer);
  printer.end();
  co_return kOk;
}

aio::Task<int> find(Process& process, const TaskTranscriptOptions& options, Printer& printer, Found& found) {
  const auto task = co_await task_of(process, options.task);
  if (!task) co_return complain(task.error());
  found.task = *task;
  if (task->session_id.empty() && (task->run_id.empty() || keeps_transcripts(*task)))
    co_return complain(kFailed, "task '" + task->slug + "' has no session yet; `outlast task do " + task->slug + "` starts one");
  if (!keeps_transcripts(*task)) co_return co_await print_runs(process, *task, printer);
  auto path = claude_file(*task, process.settings);
  if (!path) co_return complain(path.error());
  found.path = *std::move(path);
  co_return kOk;
}

}  // namespace

int run_task_transcript(const TaskTranscriptOptions& options) {
  Found found;
  Printer printer(options);
  const auto code = with_store([&](Process& process) { return find(process, options, printer, found); });
  if (code != kOk || found.path.empty()) return code;
  // The file may be long: it is read when the store is closed, and nothing else waits.
  LineReader lines(found.path);
  if (!lines.is_open()) return complain(kFailed, found.path + " cannot be read");
  printer.begin(found.task, found.path);
  for (std::string line; lines.next(line);) printer.add(read_transcript_line(line));
  printer.end();
  return kOk;
}

}  // namespace cli
