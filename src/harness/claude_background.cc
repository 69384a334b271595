// Claude Code's own background agents: they live in its daemon and outlive whoever started them.
#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "harness/claude.h"
#include "harness/json_line.h"

namespace harness {

namespace {

constexpr std::size_t kShortIdBytes = 8;
constexpr std::string_view kHex = "0123456789abcdef";

// The text without the escapes that colour it: ESC [ digits and semicolons m.
std::string without_colours(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto escape = std::min(text.find("\x1b["), text.size());
    out += text.substr(0, escape);
    text.remove_prefix(escape);
    if (text.empty()) break;
    const auto end = text.find_first_not_of("0123456789;", 2);
    if (end != text.npos && text[end] == 'm') {
      text.remove_prefix(end + 1);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

void skip_spaces(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(" \t\r\v\f"), text.size())); }

// backgrounded\s*·?\s*([0-9a-f]{8})\b
std::string id_in_banner(std::string_view line) {
  constexpr std::string_view kWord = "backgrounded", kDot = "·";
  const auto at = line.find(kWord);
  if (at == line.npos) return {};
  auto rest = line.substr(at + kWord.size());
  skip_spaces(rest);
  if (rest.starts_with(kDot)) rest.remove_prefix(kDot.size());
  skip_spaces(rest);
  const auto id = rest.substr(0, kShortIdBytes);
  if (id.size() < kShortIdBytes || id.find_first_not_of(kHex) != id.npos) return {};
  const auto next = rest.size() > kShortIdBytes ? rest[kShortIdBytes] : ' ';
  const bool goes_on = next == '_' || (next >= '0' && next <= '9') || (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
  return goes_on ? std::string() : std::string(id);
}

std::optional<Registered> registered(const json::value& value) {
  const auto* entry = value.if_object();
  if (!entry || base::string_field(*entry, "kind") != "background") return std::nullopt;
  const auto id = session_id_in(*entry, "id");
  if (!id) return std::nullopt;
  return Registered{.id = *id,
                    .session_id = session_id_in(*entry, "sessionId").value_or(""),
                    .name = base::text_or_empty(*entry, "name"),
                    .directory = base::text_or_empty(*entry, "cwd"),
                    .status = base::text_or_empty(*entry, "status"),
                    .state = base::text_or_empty(*entry, "state"),
                    .pid = count_in(*entry, "pid"),
                    .started_ms = count_in(*entry, "startedAt")};
}

class ClaudeBackground final : public BackgroundAgents {
 public:
  std::vector<std::string> start(const Start& start) const override {
    std::vector<std::string> argv = {"claude", "--bg"};
    // No --session-id: it is ignored here, the session's id is what the registry tells afterwards.
    if (start.resumes) argv.insert(argv.end(), {"--resume", start.session_id});
    // An option beside --resume makes a copy under another id of a session that the registry knows.
    if (start.resumes && start.keeps_options) {
      if (!start.prompt.empty()) argv.push_back(argument_of(start.prompt));
      return argv;
    }
    if (!start.title.empty()) argv.insert(argv.end(), {"--name", start.title});
    if (!start.model.empty()) argv.insert(argv.end(), {"--model", start.model});
    if (!start.effort.empty()) argv.insert(argv.end(), {"--effort", start.effort});
    if (start.skip_permissions) argv.push_back("--dangerously-skip-permissions");
    if (!start.prompt.empty()) argv.push_back(argument_of(start.prompt));
    return argv;
  }

  std::string started_id(std::string_view standard_output) const override {
    const auto plain = without_colours(standard_output);
    for (const auto line : base::split(plain, '\n'))
      if (auto id = id_in_banner(line); !id.empty()) return id;
    return {};
  }

  std::vector<std::string> list() const override { return {"claude", "agents", "--json", "--all"}; }

  std::optional<std::vector<Registered>> listed(std::string_view standard_output) const override {
    const auto text = base::trim(standard_output);
    if (text.size() > kLineBytesMax) return std::nullopt;
    const auto value = base::parse_json(base::utf8_lossy(text));
    if (!value || !value->is_array()) return std::nullopt;
    std::vector<Registered> out;
    for (const auto& entry : value->get_array())
      if (auto one = registered(entry)) out.push_back(std::move(*one));
    return out;
  }

  std::vector<std::string> stop(std::string_view id) const override { return {"claude", "stop", std::string(id)}; }
};

}  // namespace

const BackgroundAgents& claude_background() {
  static const ClaudeBackground one;
  return one;
}

}  // namespace harness
