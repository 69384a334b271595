#include "llm/demo_play.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/json.h"
#include "base/text.h"

namespace llm {

namespace {

constexpr std::size_t kPieceBytesMax = 24;
constexpr std::int64_t kDefaultTokens = 3;
constexpr std::int64_t kBytesPerToken = 4;

// Messages that the engine writes in a user's place; they do not begin a new exchange.
bool is_notice(std::string_view text) { return text.starts_with("[BACKGROUND TASK ") || text.starts_with("[WATCHER UPDATE]"); }

// A word with the space behind it, at most kPieceBytesMax bytes: about what models stream.
std::size_t piece_length(std::string_view text) {
  auto end = text.find_first_of(" \n");
  end = end == text.npos ? text.size() : std::min(text.find_first_not_of(" \n", end), text.size());
  if (end <= kPieceBytesMax) return end;
  return std::max<std::size_t>(base::utf8_prefix(text, kPieceBytesMax).size(), 1);
}

std::string_view tail_of(std::string_view name) {
  const auto at = name.find_last_of("._");
  return at == name.npos ? name : name.substr(at + 1);
}

// A script says "Read" where an app may offer "filesystem__read".
std::string offered_name(const std::string& wanted, const std::vector<ToolSpec>& tools) {
  for (const auto& tool : tools)
    if (tool.name == wanted) return wanted;
  for (const auto& tool : tools)
    if (base::to_lower(tail_of(tool.name)) == base::to_lower(tail_of(wanted))) return tool.name;
  return wanted;
}

// Every task_id that tool results have named, in order; results are JSON or text with JSON in it.
std::vector<std::string_view> task_ids(const std::vector<run::Message>& messages) {
  static constexpr std::string_view kKey = "\"task_id\"";
  std::vector<std::string_view> ids;
  for (const auto& message : messages) {
    if (message.role != run::Role::tool) continue;
    const std::string_view text = message.text;
    for (auto at = text.find(kKey); at != text.npos; at = text.find(kKey, at + 1)) {
      const auto from = text.find_first_not_of(" :", at + kKey.size());
      if (from == text.npos || text[from] != '"') continue;
      const auto id = text.substr(from + 1, text.find_first_of("\"\\", from + 1) - from - 1);
      if (!id.empty() && std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
    }
  }
  return ids;
}

std::vector<std::string_view> last_result_lines(const std::vector<run::Message>& messages) {
  for (auto at = messages.rbegin(); at != messages.rend(); ++at)
    if (at->role == run::Role::tool) return base::split(at->text, '\n');
  return {};
}

// The text with "$WORDn" replaced by the n-th value, escaped as inside a JSON string; others stay.
std::string fill_in(std::string_view text, std::string_view word, const std::vector<std::string_view>& values) {
  std::string out;
  for (;;) {
    const auto at = text.find(word);
    out += text.substr(0, at);
    if (at == text.npos) return out;
    std::size_t n = 0;
    const char* digits = text.data() + at + word.size();
    const auto [end, ec] = std::from_chars(digits, text.data() + text.size(), n);
    const auto length = word.size() + static_cast<std::size_t>(end - digits);
    if (ec == std::errc{} && n >= 1 && n <= values.size()) {
      std::string quoted;
      base::append_json_string(quoted, base::trim(values[n - 1]));
      out += std::string_view(quoted).substr(1, quoted.size() - 2);
    } else {
      out += text.substr(at, length);
    }
    text.remove_prefix(at + length);
  }
}

}  // namespace

DemoPosition demo_position(const std::vector<run::Message>& messages) {
  DemoPosition position;
  for (auto at = messages.rbegin(); at != messages.rend(); ++at) {
    if (at->role == run::Role::assistant) ++position.turn_index;
    if (at->role != run::Role::user || is_notice(at->text)) continue;
    position.prompt = at->text;
    position.prompt_at_ms = at->at_ms;
    break;
  }
  return position;
}

DemoTurn demo_turn(const DemoScript& script, std::size_t turn_index) {
  if (turn_index < script.turns.size()) return script.turns[turn_index];
  auto turn = script.turns.back();
  if (!turn.calls.empty()) {
    turn.calls.clear();
    if (!turn.text && !turn.tokens) turn.text = "The script has no further turn.";
  }
  return turn;
}

DemoFaults demo_faults(const DemoTurn& turn, std::int64_t attempt) {
  constexpr auto kAlways = std::numeric_limits<std::int64_t>::max();
  for (const auto& error : turn.errors) {
    const auto times = error.times.value_or(kAlways);
    if (attempt < times) return {.error = error, .stall = {}, .cut = {}};
    attempt -= times;
  }
  DemoFaults faults;
  if (turn.stall && attempt < turn.stall->times.value_or(kAlways)) faults.stall = turn.stall;
  if (turn.cut && attempt < turn.cut->times.value_or(kAlways)) faults.cut = turn.cut;
  return faults;
}

DemoText::DemoText(const DemoTurn& turn) : size_(turn.size) {
  if (turn.text) {
    text_ = *turn.text;
    for (auto rest = std::string_view(text_); !rest.empty(); rest.remove_prefix(pieces_.back().size()))
      pieces_.push_back(rest.substr(0, piece_length(rest)));
    count_ = static_cast<std::int64_t>(pieces_.size());
    return;
  }
  generated_ = true;
  count_ = turn.tokens.value_or(turn.calls.empty() ? kDefaultTokens : 0);
}

std::string_view DemoText::next() {
  const auto n = made_++;
  if (!generated_) return pieces_[static_cast<std::size_t>(n)];
  demo_word(buffer_, 'w', n, size_);
  return buffer_;
}

void demo_word(std::string& out, char prefix, std::int64_t n, std::int64_t size) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
  out.assign(1, prefix);
  out.append(digits, end);
  out += ' ';
  if (out.size() < static_cast<std::size_t>(size)) out.resize(static_cast<std::size_t>(size), ' ');
}

std::vector<run::ToolCall> demo_calls(const DemoTurn& turn, const ModelRequest& request) {
  std::vector<run::ToolCall> calls;
  if (turn.calls.empty()) return calls;
  const auto ids = task_ids(request.messages);
  const auto lines = last_result_lines(request.messages);
  for (std::size_t i = 0; i < turn.calls.size(); ++i) {
    const auto& call = turn.calls[i];
    calls.push_back({.id = "call_demo_" + std::to_string(request.messages.size()) + "_" + std::to_string(i),
                     .name = offered_name(call.name, request.tools),
                     .arguments = fill_in(fill_in(call.arguments, "$TASK", ids), "$LINE", lines)});
  }
  return calls;
}

run::Usage demo_usage(const ModelRequest& request, std::int64_t thinking, std::int64_t text,
                      const std::vector<run::ToolCall>& calls) {
  const auto tokens = [](std::size_t bytes) { return (static_cast<std::int64_t>(bytes) + kBytesPerToken - 1) / kBytesPerToken; };
  run::Usage usage;
  std::size_t input_bytes = request.system.size();
  for (const auto& message : request.messages) {
    input_bytes += message.text.size();
    for (const auto& call : message.tool_calls) input_bytes += call.name.size() + call.arguments.size();
  }
  usage.input_tokens = tokens(input_bytes);
  usage.output_tokens = thinking + text;
  for (const auto& call : calls) usage.output_tokens += tokens(call.name.size() + call.arguments.size());
  usage.reasoning_tokens = thinking;
  return usage;
}

}  // namespace llm
