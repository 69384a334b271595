// Directives: words and lines of a user's message that change what the demo provider plays. What does not look exactly
// like a directive is ordinary text.
#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "llm/demo_script.h"

namespace llm {

namespace {

constexpr std::size_t kParallelAttemptsMax = 2 * base::limits::kToolCallsPerTurnMax;
constexpr std::int64_t kPromptTokens = 100;  // of `tokens: prompt` where the prompt has no number

struct Directives {
  std::optional<std::int64_t> tokens, rate, size, thinking;
  std::optional<std::int64_t> number;  // the first word of the ordinary text that is a number
  std::optional<std::string> say;
  std::vector<std::vector<DemoCall>> calls;  // one entry a turn
  std::vector<DemoError> errors;
  std::optional<DemoStall> stall;
  std::optional<DemoCut> cut;
};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    text = base::trim(text);
    if (text.empty()) return words;
    const auto end = text.find_first_of(" \t\r\n");
    words.push_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end);
  }
}

std::optional<std::int64_t> bounded(std::string_view text, std::int64_t max) {
  const auto value = base::parse_int(text);
  return value && *value >= 0 && *value <= max ? value : std::nullopt;
}

// "NAME {json}": the JSON must be an object.
std::optional<DemoCall> parse_call(std::string_view text) {
  text = base::trim(text);
  const auto end = text.find_first_of(" \t");
  DemoCall call{.name = std::string(text.substr(0, end)), .arguments = "{}"};
  if (call.name.empty() || call.name.size() > base::limits::kNameBytesMax) return std::nullopt;
  if (end == text.npos) return std::nullopt;
  call.arguments = base::trim(text.substr(end));
  const auto parsed = base::parse_json(call.arguments);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  return call;
}

// The parts of "A {..} | B {..}". A bar inside the JSON has no space on both sides of it only by accident, so a part that
// is no call is joined with the next one.
std::vector<DemoCall> parse_parallel(std::string_view text) {
  std::vector<DemoCall> calls;
  std::size_t attempts = 0;
  for (std::size_t from = 0, search = 0; from < text.size();) {
    if (++attempts > kParallelAttemptsMax) return {};
    const auto bar = text.find(" | ", search);
    if (auto call = parse_call(text.substr(from, bar - from))) {
      if (calls.size() == base::limits::kToolCallsPerTurnMax) return {};
      calls.push_back(std::move(*call));
      from = bar == text.npos ? text.size() : bar + 3;
      search = from;
    } else if (bar == text.npos) {
      return {};
    } else {
      search = bar + 3;
    }
  }
  return calls;
}

// The optional "xN" at the end of error, stall and cut; false if something else stands there.
bool parse_times(const std::vector<std::string_view>& words, std::size_t at, std::optional<std::int64_t>& times) {
  if (words.size() == at) return true;
  if (words.size() != at + 1 || !words[at].starts_with('x')) return false;
  times = bounded(words[at].substr(1), kDemoTimesMax);
  return times.has_value();
}

// error, stall, cut and thinking: lines of their own. Says whether the line was one of them.
bool read_fault(const std::vector<std::string_view>& words, Directives& out) {
  const auto number = [&](std::size_t at, std::int64_t max) {
    return at < words.size() ? bounded(words[at], max) : std::nullopt;
  };
  if (words[0] == "error") {
    DemoError error;
    const auto status = number(1, 599);
    if (!status || *status < 300 || !parse_times(words, 2, error.times)) return false;
    error.status = *status;
    out.errors.push_back(error);
    return true;
  }
  if (words[0] == "stall") {
    DemoStall stall;
    const auto after = number(1, kDemoTokensMax), ms = number(2, kDemoMsMax);
    if (!after || !ms || !parse_times(words, 3, stall.times)) return false;
    stall.after = *after;
    stall.ms = *ms;
    out.stall = stall;
    return true;
  }
  if (words[0] == "cut") {
    DemoCut cut;
    const auto after = number(1, kDemoTokensMax);
    if (!after || !parse_times(words, 2, cut.times)) return false;
    cut.after = *after;
    out.cut = cut;
    return true;
  }
  const auto thinking = words[0] == "thinking" && words.size() == 2 ? number(1, kDemoTokensMax) : std::nullopt;
  if (thinking) out.thinking = thinking;
  return thinking.has_value();
}

void read_words(const std::vector<std::string_view>& words, Directives& out) {
  const auto value = [](std::string_view word, std::string_view key, std::int64_t max) {
    return word.starts_with(key) ? bounded(word.substr(key.size()), max) : std::nullopt;
  };
  for (const auto word : words) {
    if (const auto n = value(word, "tokens=", kDemoTokensMax)) out.tokens = n;
    if (const auto n = value(word, "rate=", kDemoRateMax)) out.rate = n;
    if (const auto n = value(word, "size=", kDemoDeltaBytesMax)) out.size = n;
    if (const auto n = bounded(word, kDemoTokensMax); n && !out.number) out.number = n;
  }
}

// call, parallel and say. Says whether the line was one of them.
bool read_turn(std::string_view line, Directives& out) {
  if (line.starts_with("say ")) {
    out.say = std::string(base::trim(line.substr(4)));
    return true;
  }
  std::vector<DemoCall> calls;
  if (line.starts_with("parallel ")) calls = parse_parallel(base::trim(line.substr(9)));
  if (line.starts_with("call "))
    if (auto call = parse_call(line.substr(5))) calls.push_back(std::move(*call));
  if (calls.empty()) return false;
  if (out.calls.size() + 1 < kDemoTurnsMax) out.calls.push_back(std::move(calls));
  return true;
}

Directives read_directives(std::string_view message) {
  Directives out;
  for (const auto raw : base::split(message, '\n')) {
    const auto line = base::trim(raw);
    if (read_turn(line, out)) continue;
    const auto words = words_of(line);
    if (words.empty() || read_fault(words, out)) continue;
    read_words(words, out);
  }
  return out;
}

// The turns that the directives describe by themselves: the calls, then one text.
void replace_turns(DemoScript& script, const Directives& given) {
  auto last = script.turns.back();
  last.calls.clear();
  script.turns.clear();
  for (const auto& calls : given.calls) {
    DemoTurn turn;
    turn.calls = calls;
    script.turns.push_back(std::move(turn));
  }
  if (given.say) last.text = given.say;
  if (given.tokens && !given.say) {
    last.text.reset();
    last.tokens = given.tokens;
  }
  script.turns.push_back(std::move(last));
}

}  // namespace

DemoScript with_directives(DemoScript script, std::string_view message) {
  const auto given = read_directives(message);
  if (!given.calls.empty() || given.say || given.tokens) replace_turns(script, given);
  for (auto& turn : script.turns) {
    if (turn.tokens_from_prompt && !turn.tokens) turn.tokens = given.number.value_or(kPromptTokens);
    if (given.rate) turn.rate = *given.rate;
    if (given.size) turn.size = *given.size;
    if (given.thinking) turn.thinking = *given.thinking;
    if (!given.errors.empty()) turn.errors = given.errors;
    if (!turn.calls.empty()) continue;
    if (given.stall) turn.stall = given.stall;
    if (given.cut) turn.cut = given.cut;
  }
  return script;
}

}  // namespace llm
