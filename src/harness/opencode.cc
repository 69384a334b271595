// opencode: `opencode run` with its JSON lines. One message, one turn, one process. It has no last word: that a turn is done
// follows from its last step and its exit.
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "harness/failure.h"
#include "harness/harnesses.h"
#include "harness/json_line.h"

namespace harness {

namespace {

using run::TurnOutcome;

class OpencodeDecoder final : public Decoder {
 public:
  explicit OpencodeDecoder(const Start& start) : message_id_(start.message_id) {}

  void line(std::string_view text, std::vector<Told>& out) override {
    const auto object = object_in(text);
    if (!object || !read(*object, out)) out.push_back(Unknown());
  }

  void end(std::optional<int> exit_code, std::string_view, std::vector<Told>& out) override {
    TurnEnded ended;
    auto& turn = ended.turn;
    if (!error_.empty()) {
      const auto failure = failure_of(status_, error_);
      turn.outcome = failure.outcome;
      turn.error = error_;
      turn.until_ms = failure.until_ms;
      ended.limited_for_ms = failure.for_ms;
    } else if (exit_code != 0 || reason_.empty() || reason_ == "tool-calls") {
      return;  // it was cut: nobody knows how far it came
    } else if (reason_ != "stop") {
      turn.outcome = TurnOutcome::failed;
      turn.error = "the model's answer ended with: " + reason_;
    }
    const bool is_done = turn.outcome == TurnOutcome::done;
    turn.text = said_;
    turn.usage = usage_;
    turn.cost_micros = cost_micros_;
    out.push_back(std::move(ended));
    if (is_done && !message_id_.empty()) out.push_back(HandledMessage{message_id_});
  }

 private:
  bool read(const json::object& line, std::vector<Told>& out) {
    const auto type = base::string_field(line, "type");
    const auto id = session_id_in(line, "sessionID");
    if (!type || !id) return false;
    const auto* part = base::object_field(line, "part");
    const bool is_error = *type == "error";
    if (!is_error && !part) return false;
    if (*id != session_id_) out.push_back(SessionNamed{.session_id = session_id_ = *id});
    if (is_error) return read_error(line);
    if (*type == "step_start") return read_step(out);
    if (*type != "text" && *type != "reasoning" && *type != "tool_use" && *type != "step_finish") return false;
    hear(out);
    if (*type == "tool_use") return read_call(*part, out);
    if (*type == "step_finish") return read_step_end(*part);
    auto text = base::text_or_empty(*part, "text");
    if (text.empty()) return true;
    if (*type == "text") out.push_back(Said{said_ = std::move(text)});
    else out.push_back(Thought{std::move(text)});
    return true;
  }

  bool read_step(std::vector<Told>& out) {
    reason_.clear();
    if (!std::exchange(has_begun_, true)) out.push_back(TurnBegan());
    return true;
  }

  void hear(std::vector<Told>& out) {
    if (is_heard_ || message_id_.empty()) return;
    is_heard_ = true;
    out.push_back(Heard{message_id_});
  }

  // Usually told once, when it is over.
  bool read_call(const json::object& part, std::vector<Told>& out) {
    const auto id = id_in(part, "callID");
    const auto* state = base::object_field(part, "state");
    if (!id || !state) return false;
    const auto* input = base::object_field(*state, "input");
    run::ToolCall call{.id = *id, .name = base::text_or_empty(part, "tool"), .arguments = input ? line_of(*input) : "{}"};
    if (*id != open_call_) out.push_back(CallBegan{call});
    const auto status = base::text_or_empty(*state, "status");
    open_call_ = *id;
    if (status != "completed" && status != "error") return true;
    open_call_.clear();
    auto result = base::text_or_empty(*state, status == "error" ? "error" : "output");
    if (result.empty()) result = base::text_or_empty(*state, "output");
    const auto* metadata = base::object_field(*state, "metadata");
    const bool is_error = status == "error" || (metadata && base::int_or_zero(*metadata, "exit") != 0);
    out.push_back(CallEnded{.call = std::move(call), .result = std::move(result), .is_error = is_error});
    return true;
  }

  bool read_step_end(const json::object& part) {
    reason_ = base::text_or_empty(part, "reason");
    cost_micros_ += micros_of(base::number_field(part, "cost").value_or(0));
    const auto* tokens = base::object_field(part, "tokens");
    if (!tokens) return true;
    const auto* cache = base::object_field(*tokens, "cache");
    usage_ += {.input_tokens = count_in(*tokens, "input"),
               .output_tokens = count_in(*tokens, "output"),
               .reasoning_tokens = count_in(*tokens, "reasoning"),
               .cache_read_tokens = cache ? count_in(*cache, "read") : 0,
               .cache_write_tokens = cache ? count_in(*cache, "write") : 0};
    return true;
  }

  bool read_error(const json::object& line) {
    const auto* error = base::object_field(line, "error");
    if (!error) return false;
    const auto* details = base::object_field(*error, "data");
    const auto kind = base::text_or_empty(*error, "name");
    auto words = details ? base::text_or_empty(*details, "message") : std::string();
    if (words.empty()) words = base::text_or_empty(*error, "message");
    if (words.empty()) words = kind.empty() ? "error" : kind;
    error_ = base::utf8_prefix(words, kErrorBytesMax);
    status_ = details ? base::int_field(*details, "statusCode") : std::nullopt;
    if (kind == "ProviderAuthError") status_ = 401;
    return true;
  }

  const std::string message_id_;
  bool has_begun_ = false, is_heard_ = false;
  std::string session_id_, said_;
  std::string open_call_;  // told to have begun and not yet to have ended
  std::string reason_;     // why the last step ended; "" while one is under way
  std::string error_;
  std::optional<std::int64_t> status_;  // of the error
  run::Usage usage_;
  std::int64_t cost_micros_ = 0;
};

class Opencode final : public Harness {
 public:
  std::string_view name() const override { return "opencode"; }
  std::string_view program() const override { return "opencode"; }
  Capabilities capabilities() const override { return {.resumes = true, .forks = true, .costs = true}; }

  Command command(const Start& start) const override {
    Command out{.argv = {"opencode", "run", "--format", "json"}};
    if (start.resumes) out.argv.insert(out.argv.end(), {"-s", start.session_id});
    if (start.resumes && start.forks) out.argv.push_back("--fork");
    if (!start.model.empty()) out.argv.insert(out.argv.end(), {"-m", start.model});
    out.argv.push_back(argument_of(start.prompt));
    return out;
  }

  std::unique_ptr<Decoder> decoder(const Start& start) const override { return std::make_unique<OpencodeDecoder>(start); }
  std::string_view session_variable() const override { return ""; }
  std::vector<std::string_view> stripped() const override { return {"OPENCODE_SESSION", "OPENCODE_CALLER"}; }
};

}  // namespace

const Harness& opencode() {
  static const Opencode one;
  return one;
}

}  // namespace harness
