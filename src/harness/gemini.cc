// Gemini CLI: `gemini -p` with its stream of JSON lines. One message, one turn, one process; it asks nobody.
#include <map>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "harness/failure.h"
#include "harness/harnesses.h"
#include "harness/json_line.h"

namespace harness {

namespace {

using run::TurnOutcome;

constexpr std::size_t kCallsMax = 1'000;

class GeminiDecoder final : public Decoder {
 public:
  explicit GeminiDecoder(const Start& start) : message_id_(start.message_id) {}

  void line(std::string_view text, std::vector<Told>& out) override {
    const auto object = object_in(text);
    if (!object || !read(*object, out)) out.push_back(Unknown());
  }

  void end(std::optional<int>, std::string_view, std::vector<Told>& out) override { say(out); }

 private:
  bool read(const json::object& line, std::vector<Told>& out) {
    const auto type = base::string_field(line, "type");
    if (type == "message") return read_message(line, out);
    // Whatever else comes, the text before it is whole.
    say(out);
    if (type == "init") return read_init(line, out);
    if (type == "tool_use") return read_call(line, out);
    if (type == "tool_result") return read_result_of_call(line, out);
    if (type == "error") return read_error(line);
    return type == "result" && read_result(line, out);
  }

  bool read_init(const json::object& line, std::vector<Told>& out) {
    const auto id = session_id_in(line, "session_id");
    if (!id) return false;
    if (*id != session_id_) out.push_back(SessionNamed{.session_id = session_id_ = *id, .model = base::text_or_empty(line, "model")});
    out.push_back(TurnBegan());
    return true;
  }

  // The model's text comes in pieces; what the user said is only repeated.
  bool read_message(const json::object& line, std::vector<Told>& out) {
    const auto role = base::string_field(line, "role");
    const auto content = base::string_field(line, "content");
    if (!role || !content) return false;
    if (*role != "assistant") return *role == "user";
    hear(out);
    if (base::bool_field(line, "delta") != true) say(out);
    if (pending_.size() + content->size() <= kLineBytesMax) pending_ += *content;
    return true;
  }

  void say(std::vector<Told>& out) {
    if (pending_.empty()) return;
    said_ = std::exchange(pending_, {});
    out.push_back(Said{said_});
  }

  void hear(std::vector<Told>& out) {
    if (is_heard_ || message_id_.empty()) return;
    is_heard_ = true;
    out.push_back(Heard{message_id_});
  }

  bool read_call(const json::object& line, std::vector<Told>& out) {
    const auto id = id_in(line, "tool_id");
    if (!id) return false;
    hear(out);
    const auto* parameters = base::object_field(line, "parameters");
    run::ToolCall call{.id = *id, .name = base::text_or_empty(line, "tool_name"), .arguments = parameters ? line_of(*parameters) : "{}"};
    if (calls_.size() >= kCallsMax && !calls_.contains(*id)) calls_.erase(calls_.begin());
    calls_.insert_or_assign(*id, call);
    out.push_back(CallBegan{std::move(call)});
    return true;
  }

  bool read_result_of_call(const json::object& line, std::vector<Told>& out) {
    const auto id = id_in(line, "tool_id");
    if (!id) return false;
    CallEnded ended{.call = {}, .result = base::text_or_empty(line, "output"), .is_error = base::string_field(line, "status") != "success"};
    ended.call.id = *id;
    if (const auto begun = calls_.extract(*id)) ended.call = begun.mapped();
    if (const auto* error = base::object_field(line, "error"); error && ended.result.empty()) ended.result = base::text_or_empty(*error, "message");
    out.push_back(std::move(ended));
    return true;
  }

  bool read_error(const json::object& line) {
    if (base::string_field(line, "severity") != "warning") error_ = base::utf8_prefix(base::text_or_empty(line, "message"), kErrorBytesMax);
    return true;
  }

  bool read_result(const json::object& line, std::vector<Told>& out) {
    TurnEnded ended;
    auto& turn = ended.turn;
    turn.text = said_;
    if (const auto* stats = base::object_field(line, "stats")) {
      turn.usage.input_tokens = count_in(*stats, "input_tokens");
      turn.usage.output_tokens = count_in(*stats, "output_tokens");
      turn.usage.cache_read_tokens = count_in(*stats, "cached");
    }
    const bool is_done = base::string_field(line, "status") == "success";
    if (!is_done) {
      const auto failure = failure_in(line, turn.error);
      turn.outcome = failure.outcome;
      turn.until_ms = failure.until_ms;
      ended.limited_for_ms = failure.for_ms;
    }
    if (is_done) hear(out);
    said_.clear();
    out.push_back(std::move(ended));
    if (is_done && !message_id_.empty()) out.push_back(HandledMessage{message_id_});
    return true;
  }

  Failure failure_in(const json::object& line, std::string& words) const {
    const auto* error = base::object_field(line, "error");
    words = error ? std::string(base::utf8_prefix(base::text_or_empty(*error, "message"), kErrorBytesMax)) : std::string();
    if (words.empty()) words = error_;
    const auto kind = error ? base::text_or_empty(*error, "type") : std::string();
    if (kind == "FatalAuthenticationError") return {.outcome = TurnOutcome::denied};
    return failure_of(std::nullopt, words);
  }

  const std::string message_id_;
  bool is_heard_ = false;
  std::string session_id_;
  std::string pending_;  // pieces of a text that is not whole yet
  std::string said_, error_;
  std::map<std::string, run::ToolCall> calls_;  // begun, not ended
};

class Gemini final : public Harness {
 public:
  std::string_view name() const override { return "gemini"; }
  std::string_view program() const override { return "gemini"; }
  Capabilities capabilities() const override { return {.pins_id = true, .resumes = true}; }

  Command command(const Start& start) const override {
    // An untrusted directory ends it with 55. Without "yolo" it has no shell tool when nobody can be asked.
    Command out{.argv = {"gemini", "--skip-trust", "--approval-mode", start.skip_permissions ? "yolo" : "auto_edit"}};
    if (!start.session_id.empty()) out.argv.insert(out.argv.end(), {start.resumes ? "--resume" : "--session-id", start.session_id});
    if (!start.model.empty()) out.argv.insert(out.argv.end(), {"-m", start.model});
    out.argv.insert(out.argv.end(), {"--output-format", "stream-json", "-p", argument_of(start.prompt)});
    return out;
  }

  std::unique_ptr<Decoder> decoder(const Start& start) const override { return std::make_unique<GeminiDecoder>(start); }
  std::string_view session_variable() const override { return "GEMINI_SESSION_ID"; }
  // Keys and settings of users begin with GEMINI_ as well, GEMINI_CLI_HOME among them.
  std::vector<std::string_view> stripped() const override { return {"GEMINI_SESSION_ID", "GEMINI_PROJECT_DIR", "GEMINI_CWD"}; }
};

}  // namespace

const Harness& gemini() {
  static const Gemini one;
  return one;
}

}  // namespace harness
