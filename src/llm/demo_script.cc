#include "llm/demo_script.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

namespace llm {

namespace {

constexpr int kJsonDepthMax = 32;
constexpr std::size_t kProblemsBytesMax = 4'000;
constexpr std::size_t kKeysMax = 64;    // of one map
constexpr std::size_t kErrorsMax = 64;  // of one turn

// Collects every problem of a file, so that one run shows them all.
class ScriptReader {
 public:
  explicit ScriptReader(std::string_view file_name) : file_name_(file_name) {}

  DemoScript read(const YAML::Node& root);
  std::string problems() const { return problems_; }

 private:
  void problem(const YAML::Node& node, const std::string& path, const std::string& what);
  // The values of the known keys of a map, in the order of `known`; an undefined node where a key is missing.
  std::vector<YAML::Node> keys(const YAML::Node& node, const std::string& path, const std::vector<std::string_view>& known);
  DemoTurn turn(const YAML::Node& node, const std::string& path);
  void tokens(const YAML::Node& node, const std::string& path, DemoTurn& turn);
  void calls(const YAML::Node& node, const std::string& path, std::vector<DemoCall>& out);
  void errors(const YAML::Node& node, const std::string& path, std::vector<DemoError>& out);
  DemoError error(const YAML::Node& node, const std::string& path);
  std::string text(const YAML::Node& node, const std::string& path);
  std::optional<std::int64_t> number(const YAML::Node& node, const std::string& path, std::int64_t min, std::int64_t max);
  std::string json(const YAML::Node& node, const std::string& path);
  void append_json(std::string& out, const YAML::Node& node, const std::string& path, int depth);

  std::string file_name_;
  std::string problems_;
};

void ScriptReader::problem(const YAML::Node& node, const std::string& path, const std::string& what) {
  if (problems_.size() > kProblemsBytesMax) return;
  if (!problems_.empty()) problems_ += '\n';
  problems_ += file_name_;
  if (const auto mark = node.Mark(); !mark.is_null())
    problems_ += ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  problems_ += ": " + (path.empty() ? "" : path + ": ") + what;
}

std::vector<YAML::Node> ScriptReader::keys(const YAML::Node& node, const std::string& path,
                                           const std::vector<std::string_view>& known) {
  std::vector<YAML::Node> found(known.size(), YAML::Node(YAML::NodeType::Undefined));
  if (!node.IsMap() || node.size() > kKeysMax) {
    problem(node, path, node.IsMap() ? "has too many keys" : "must be a map");
    return found;
  }
  for (const auto& entry : node) {
    const auto key = entry.first.IsScalar() ? entry.first.Scalar() : std::string("?");
    const auto at = std::find(known.begin(), known.end(), key);
    if (at == known.end()) {
      const auto meant = base::nearest(key, known);
      problem(entry.first, path.empty() ? key : path + "." + key,
              "unknown key" + (meant ? ", did you mean '" + std::string(*meant) + "'?" : ""));
      continue;
    }
    found[static_cast<std::size_t>(at - known.begin())].reset(entry.second);
  }
  return found;
}

DemoScript ScriptReader::read(const YAML::Node& root) {
  DemoScript script;
  const auto fields = keys(root, "", {"description", "turns"});
  const auto& turns = fields[1];
  if (!turns.IsDefined() || !turns.IsSequence() || turns.size() == 0) {
    problem(root, "turns", "must be a list of at least one turn");
    return script;
  }
  if (turns.size() > kDemoTurnsMax) {
    problem(turns, "turns", "more than " + std::to_string(kDemoTurnsMax) + " turns");
    return script;
  }
  for (std::size_t i = 0; i < turns.size(); ++i) script.turns.push_back(turn(turns[i], "turns[" + std::to_string(i) + "]"));
  return script;
}

DemoTurn ScriptReader::turn(const YAML::Node& node, const std::string& path) {
  DemoTurn out;
  const auto fields = keys(node, path, {"text", "json", "tokens", "rate", "size", "thinking", "calls", "error", "stall", "cut"});
  const auto given = [&](std::size_t i) { return fields[i].IsDefined(); };
  if (given(0) + given(1) + given(2) > 1) problem(node, path, "only one of text, json and tokens can be given");
  if (given(0)) out.text = text(fields[0], path + ".text");
  if (given(1)) out.text = json(fields[1], path + ".json");
  if (given(2)) tokens(fields[2], path + ".tokens", out);
  if (given(3)) out.rate = number(fields[3], path + ".rate", 0, kDemoRateMax).value_or(0);
  if (given(4)) out.size = number(fields[4], path + ".size", 0, kDemoDeltaBytesMax).value_or(0);
  if (given(5)) out.thinking = number(fields[5], path + ".thinking", 0, kDemoTokensMax).value_or(0);
  if (given(6)) calls(fields[6], path + ".calls", out.calls);
  if (given(7)) errors(fields[7], path + ".error", out.errors);
  if (given(8)) {
    const auto stall = keys(fields[8], path + ".stall", {"after", "ms", "times"});
    out.stall = DemoStall{.after = number(stall[0], path + ".stall.after", 0, kDemoTokensMax).value_or(0),
                          .ms = number(stall[1], path + ".stall.ms", 0, kDemoMsMax).value_or(kDemoMsMax),
                          .times = number(stall[2], path + ".stall.times", 0, kDemoTimesMax)};
  }
  if (given(9)) {
    const auto cut = keys(fields[9], path + ".cut", {"after", "times"});
    out.cut = DemoCut{.after = number(cut[0], path + ".cut.after", 0, kDemoTokensMax).value_or(0),
                      .times = number(cut[1], path + ".cut.times", 0, kDemoTimesMax)};
  }
  return out;
}

void ScriptReader::tokens(const YAML::Node& node, const std::string& path, DemoTurn& turn) {
  if (node.IsScalar() && node.Scalar() == "prompt")
    turn.tokens_from_prompt = true;
  else
    turn.tokens = number(node, path, 0, kDemoTokensMax);
}

void ScriptReader::calls(const YAML::Node& node, const std::string& path, std::vector<DemoCall>& out) {
  if (!node.IsSequence() || node.size() > base::limits::kToolCallsPerTurnMax)
    return problem(node, path, "must be a list of calls, at most 128");
  for (std::size_t i = 0; i < node.size(); ++i) {
    const auto at = path + "[" + std::to_string(i) + "]";
    const auto fields = keys(node[i], at, {"name", "arguments"});
    DemoCall call;
    if (fields[0].IsDefined()) call.name = text(fields[0], at + ".name");
    if (call.name.empty()) problem(node[i], at + ".name", "is missing");
    if (fields[1].IsDefined()) call.arguments = fields[1].IsScalar() ? fields[1].Scalar() : json(fields[1], at + ".arguments");
    out.push_back(std::move(call));
  }
}

void ScriptReader::errors(const YAML::Node& node, const std::string& path, std::vector<DemoError>& out) {
  if (!node.IsSequence()) {
    out.push_back(error(node, path));
    return;
  }
  if (node.size() > kErrorsMax) return problem(node, path, "more than " + std::to_string(kErrorsMax) + " errors");
  for (std::size_t i = 0; i < node.size(); ++i) out.push_back(error(node[i], path + "[" + std::to_string(i) + "]"));
}

DemoError ScriptReader::error(const YAML::Node& node, const std::string& path) {
  const auto fields = keys(node, path, {"status", "times", "message", "retry_after_ms"});
  DemoError out;
  out.status = number(fields[0], path + ".status", 300, 599).value_or(500);
  out.times = number(fields[1], path + ".times", 0, kDemoTimesMax);
  if (fields[2].IsDefined()) out.message = text(fields[2], path + ".message");
  out.retry_after_ms = number(fields[3], path + ".retry_after_ms", 0, kDemoMsMax);
  return out;
}

std::string ScriptReader::text(const YAML::Node& node, const std::string& path) {
  if (node.IsScalar()) return base::utf8_lossy(node.Scalar());
  problem(node, path, "must be a text");
  return {};
}

std::optional<std::int64_t> ScriptReader::number(const YAML::Node& node, const std::string& path, std::int64_t min,
                                                 std::int64_t max) {
  if (!node.IsDefined()) return std::nullopt;
  const auto value = node.IsScalar() ? base::parse_int(node.Scalar()) : std::nullopt;
  if (value && *value >= min && *value <= max) return value;
  problem(node, path, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::string ScriptReader::json(const YAML::Node& node, const std::string& path) {
  std::string out;
  append_json(out, node, path, 0);
  if (out.size() > kDemoScriptBytesMax) problem(node, path, "is too large");
  return out;
}

// Recursion is bounded by the depth; the size by the check, for aliases can multiply a small file.
void ScriptReader::append_json(std::string& out, const YAML::Node& node, const std::string& path, int depth) {
  if (depth > kJsonDepthMax) return problem(node, path, "is nested too deeply");
  char separator = 0;
  const auto separate = [&] {
    if (separator) out += separator;
    separator = ',';
  };
  if (node.IsMap()) {
    out += '{';
    for (const auto& entry : node) {
      separate();
      base::append_json_string(out, base::utf8_lossy(entry.first.IsScalar() ? entry.first.Scalar() : "?"));
      out += ':';
      append_json(out, entry.second, path, depth + 1);
      if (out.size() > kDemoScriptBytesMax) return;
    }
    out += '}';
  } else if (node.IsSequence()) {
    out += '[';
    for (const auto& item : node) {
      separate();
      append_json(out, item, path, depth + 1);
      if (out.size() > kDemoScriptBytesMax) return;
    }
    out += ']';
  } else if (!node.IsScalar()) {
    out += "null";
  } else {
    // YAML's plain scalars are JSON's numbers and words where they look like them; a quoted one carries the tag "!".
    const auto& scalar = node.Scalar();
    const auto parsed = node.Tag() == "!" ? base::fail(base::Errc::invalid_argument, {}) : base::parse_json(scalar);
    if (parsed && !parsed->is_structured() && !parsed->is_string())
      out += scalar;
    else
      base::append_json_string(out, base::utf8_lossy(scalar));
  }
}

}  // namespace

base::Result<DemoScript> parse_demo_script(std::string_view yaml, std::string_view file_name) {
  if (yaml.size() > kDemoScriptBytesMax)
    return base::fail(base::Errc::invalid_argument,
                      std::string(file_name) + ": larger than " + std::to_string(kDemoScriptBytesMax) + " bytes");
  try {
    ScriptReader reader(file_name);
    auto script = reader.read(YAML::Load(std::string(yaml)));
    if (!reader.problems().empty()) return base::fail(base::Errc::invalid_argument, reader.problems());
    return script;
  } catch (const YAML::Exception& error) {
    // The library reports by exceptions; here they become the ordinary outcome that they are.
    auto where = std::string(file_name);
    if (!error.mark.is_null()) where += ":" + std::to_string(error.mark.line + 1) + ":" + std::to_string(error.mark.column + 1);
    return base::fail(base::Errc::invalid_argument, where + ": " + base::utf8_lossy(error.msg));
  }
}

}  // namespace llm
