#include "run/flow_notify.h"

#include <algorithm>

#include "base/text.h"

namespace run {

namespace {

enum class Quotes { none, single, both };

// Where the shell stands after this character.
Quotes after(Quotes now, char c) {
  if (c == '\'' && now != Quotes::both) return now == Quotes::single ? Quotes::none : Quotes::single;
  if (c == '"' && now != Quotes::single) return now == Quotes::both ? Quotes::none : Quotes::both;
  return now;
}

std::string escaped(std::string_view text, Quotes around) {
  std::string out;
  for (const char c : text) {
    if (around == Quotes::both && (c == '\\' || c == '"' || c == '$' || c == '`')) out += '\\';
    if (around != Quotes::both && c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return around == Quotes::none ? "'" + out + "'" : out;
}

}  // namespace

std::string filled_command(std::string_view command, const std::map<std::string, std::string, std::less<>>& values) {
  std::string out;
  auto quotes = Quotes::none;
  for (std::size_t at = 0; at < command.size();) {
    const auto rest = command.substr(at);
    if (rest.front() == '{') {
      const auto end = rest.find('}');
      const auto value = end == std::string_view::npos ? values.end() : values.find(rest.substr(1, end - 1));
      if (value != values.end()) {
        out += escaped(value->second, quotes);
        at += end + 1;
        continue;
      }
    }
    if (rest.front() == '\\' && quotes != Quotes::single && rest.size() > 1) {
      out += rest.substr(0, 2);
      at += 2;
      continue;
    }
    quotes = after(quotes, rest.front());
    out += rest.front();
    ++at;
  }
  return out;
}

base::Result<> check_notify(std::string_view command) {
  if (base::trim(command).empty()) return base::fail(base::Errc::invalid_argument, "the command is empty");
  if (command.size() > kNotifyBytesMax) return base::fail(base::Errc::invalid_argument, "the command is longer than " + std::to_string(kNotifyBytesMax) + " bytes");
  if (!base::valid_utf8(command) || command.find('\0') != std::string_view::npos)
    return base::fail(base::Errc::invalid_argument, "the command is no text");
  return {};
}

base::Result<> check_label(std::string_view text) {
  const bool plain = std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (base::trim(text).empty() || text.size() > kLabelBytesMax || !plain || !base::valid_utf8(text))
    return base::fail(base::Errc::invalid_argument, "write 1 to " + std::to_string(kLabelBytesMax) + " bytes without control characters");
  return {};
}

}  // namespace run
