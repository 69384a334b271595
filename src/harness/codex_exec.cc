// `codex exec --json`: one message, one turn, one process.
#include "base/json.h"
#include "base/text.h"
#include "harness/codex.h"

namespace harness {

namespace {

using run::TurnOutcome;

run::Usage usage_of(const json::object& line) {
  const auto* usage = base::object_field(line, "usage");
  if (!usage) return {};
  return {.input_tokens = count_in(*usage, "input_tokens"),
          .output_tokens = count_in(*usage, "output_tokens"),
          .reasoning_tokens = count_in(*usage, "reasoning_output_tokens"),
          .cache_read_tokens = count_in(*usage, "cached_input_tokens"),
          .cache_write_tokens = count_in(*usage, "cache_write_input_tokens")};
}

class CodexExecDecoder final : public Decoder {
 public:
  explicit CodexExecDecoder(const Start& start) : message_id_(start.message_id), usage_is_inherited_(start.resumes) {}

  void line(std::string_view text, std::vector<Told>& out) override {
    const auto object = object_in(text);
    if (!object || !read(*object, out)) out.push_back(Unknown());
  }

 private:
  bool read(const json::object& line, std::vector<Told>& out) {
    const auto type = base::string_field(line, "type");
    if (type == "thread.started") return read_thread(line, out);
    if (type == "turn.started") return read_turn_start(out);
    if (type == "item.started" || type == "item.completed") return read_item(line, type == "item.started", out);
    if (type == "item.updated") return true;
    if (type == "turn.completed") return read_turn_end(line, out);
    if (type == "turn.failed") return read_failure(line, out);
    if (type == "error") return read_error(line, out);
    return false;
  }

  bool read_thread(const json::object& line, std::vector<Told>& out) {
    const auto id = session_id_in(line, "thread_id");
    if (!id) return false;
    if (*id != session_id_) out.push_back(SessionNamed{.session_id = session_id_ = *id});
    return true;
  }

  bool read_turn_start(std::vector<Told>& out) {
    items_.clear();
    error_.clear();
    out.push_back(TurnBegan());
    return true;
  }

  bool read_item(const json::object& line, bool begins, std::vector<Told>& out) {
    const auto* item = base::object_field(line, "item");
    if (!item) return false;
    // Warnings come before the turn as well; anything else is the model at work on the message.
    if (codex_item_type(*item) != "error") hear(out);
    return begins ? items_.began(*item, out) : items_.completed(*item, out);
  }

  void hear(std::vector<Told>& out) {
    if (is_heard_ || message_id_.empty()) return;
    is_heard_ = true;
    out.push_back(Heard{message_id_});
  }

  bool read_turn_end(const json::object& line, std::vector<Told>& out) {
    hear(out);
    TurnEnded ended;
    ended.turn.text = items_.said();
    const auto usage = usage_of(line);
    // The figures count the whole thread; what earlier processes spent of it is not known here.
    if (!usage_is_inherited_) ended.turn.usage = difference(usage, usage_);
    usage_is_inherited_ = false;
    usage_ = usage;
    items_.clear();
    out.push_back(std::move(ended));
    if (!message_id_.empty()) out.push_back(HandledMessage{message_id_});
    return true;
  }

  bool read_failure(const json::object& line, std::vector<Told>& out) {
    const auto* error = base::object_field(line, "error");
    auto text = error ? base::text_or_empty(*error, "message") : std::string();
    if (text.empty()) text = error_;
    const auto failure = failure_of(std::nullopt, text);
    TurnEnded ended{.turn = {.outcome = failure.outcome, .text = items_.said()}, .limited_for_ms = failure.for_ms};
    ended.turn.error = std::string(base::utf8_prefix(text, kErrorBytesMax));
    ended.turn.until_ms = failure.until_ms;
    items_.clear();
    out.push_back(std::move(ended));
    return true;
  }

  // It may still succeed: only turn.failed is the failure.
  bool read_error(const json::object& line, std::vector<Told>& out) {
    error_ = base::utf8_prefix(base::text_or_empty(line, "message"), kErrorBytesMax);
    if (error_.starts_with("Reconnecting"))
      out.push_back(Retries{.limited = failure_of(std::nullopt, error_).outcome == TurnOutcome::limited, .reason = error_});
    return true;
  }

  const std::string message_id_;
  bool usage_is_inherited_;
  bool is_heard_ = false;
  std::string session_id_, error_;
  run::Usage usage_;
  CodexItems items_;
};

}  // namespace

Command codex_exec_command(const Start& start) {
  Command out{.argv = {"codex", "exec"}};
  // Those that not every version takes behind `resume` stand before it.
  if (!start.directory.empty()) out.argv.insert(out.argv.end(), {"-C", start.directory});
  if (start.skip_permissions) out.argv.push_back("--dangerously-bypass-approvals-and-sandbox");
  else out.argv.insert(out.argv.end(), {"-s", "workspace-write"});
  if (!start.model.empty()) out.argv.insert(out.argv.end(), {"-m", start.model});
  if (!start.effort.empty()) out.argv.insert(out.argv.end(), {"-c", "model_reasoning_effort=" + base::to_text(json::value(start.effort))});
  if (start.resumes) out.argv.insert(out.argv.end(), {start.forks ? "fork" : "resume", start.session_id});
  // A prompt may be a word that is a command otherwise.
  out.argv.insert(out.argv.end(), {"--json", "--skip-git-repo-check", "--", argument_of(start.prompt)});
  return out;
}

std::unique_ptr<Decoder> codex_exec_decoder(const Start& start) { return std::make_unique<CodexExecDecoder>(start); }

}  // namespace harness
