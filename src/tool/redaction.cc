#include "tool/redaction.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace tool {

namespace {

using re2::RE2;
using re2::StringPiece;

constexpr std::string_view kShown = "[REDACTED]";
constexpr std::size_t kPatternBytesMax = 1'000;
constexpr std::size_t kMatchesMax = 2'000;  // of one pattern in one text; what lies behind goes as a whole
constexpr int kGroupsMax = 2;

// What a match must be besides.
enum class Proof {
  none,
  mixed,        // letters and digits: no word of a language
  value,        // no placeholder and no expression
  mixed_value,  // both, and no member of something
};

struct Shape {
  std::string_view pattern;  // its groups are the secret; without one, all of it
  Proof proof = Proof::none;
  bool goes_on = true;  // a group, to the end of its word or its quotes
};

// What is assigned to these is a secret: NAMES in upper case, names in any.
constexpr std::string_view kNames =
    "(?:passwords?|passwd|passphrase|_pwd|secrets?|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|signing[_-]?"
    "key|"
    "encryption[_-]?key|auth[_-]?key)";
constexpr std::string_view kUpperNames =
    "(?:PASSWORDS?|PASSWD|PASSPHRASE|_PWD|SECRETS?|TOKEN|API_?KEY|ACCESS_?KEY|SECRET_?KEY|PRIVATE_?KEY|SIGNING_?KEY|ENCRYPTION_?"
    "KEY|AUTH_?KEY)";
constexpr std::string_view kBareValue = R"re([^\s"'`,;&|()<>\[\]{}])re", kBareEnds = " \t\r\n\f\v\"'`,;&|()<>[]{}";

// NAMES, names and VALUE stand for the three above. Groups are bounded, so that looking at them costs little.
constexpr Shape kShapes[] = {
    // Between BEGIN and END, or as far as it goes.
    {R"re(-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:(?:[^-]|-[^-])*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|(?:(?:\\n|\\r|\s)*[A-Za-z0-9+/=]{16,})*))re"},
    {R"re(\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA|ANPA)[A-Z0-9]{16}\b)re"},
    {R"re(\bgh[pousr]_[A-Za-z0-9]{20,})re"},
    {R"re(\bgithub_pat_[A-Za-z0-9_]{20,})re"},
    {R"re(\bgl(?:pat|rt|dt|ptt)-[A-Za-z0-9_-]{16,})re"},
    {R"re(\bxox[abeoprs]-[A-Za-z0-9-]{10,})re"},
    {R"re(\bxapp-\d-[A-Za-z0-9-]{10,})re"},
    {R"re(\bhttps://hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/_-]{16,200}))re"},
    {R"re(\b(?:sk|rk)-[A-Za-z0-9_-]{20,})re", Proof::mixed},
    {R"re(\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,})re"},
    {R"re(\bAIza[A-Za-z0-9_-]{30,})re"},
    {R"re(\bya29\.[A-Za-z0-9_-]{20,})re"},
    {R"re(\bnpm_[A-Za-z0-9]{30,})re"},
    {R"re(\bhf_[A-Za-z0-9]{30,})re"},
    {R"re(\bpypi-[A-Za-z0-9_-]{32,})re"},
    {R"re(\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)re"},
    {R"re((?i)\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|digest|negotiate|apikey)\s+)?([^\s"',;]{8,200}))re",
     Proof::value},
    {R"re((?i)\bbearer\s+([A-Za-z0-9._~+/=-]{16,200}))re", Proof::mixed},
    {R"re((?i)\b(?:x-api-key|x-auth-token|private-token)["']?\s*[:=]\s*["']?([^\s"',;]{8,200}))re", Proof::value},
    {R"re((?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@"']{0,128}:([^\s/@"']{3,256})@)re", Proof::value, false},
    // NAME=value and NAME: value, as environments have them; lines that are nothing but name=value.
    {R"re(NAMES["']?[ \t]*[:=][ \t]*(VALUE{4,200}))re", Proof::value},
    {R"re((?im)^[ \t]*(?:export[ \t]+)?[a-z0-9_.-]*names=(VALUE{4,200})[ \t\r]*$)re", Proof::value},
    // In quotes, as in most languages: name: "value", "name": "value", name = 'value', NAME="value".
    {R"re((?i)names["']?\s*(?:=>|:=|=|:)\s*(?:"([^"\n]{4,200})|'([^'\n]{4,200})))re", Proof::value},
    // Bare: it may be code.
    {R"re((?i)names["']?\s*[:=]\s*(VALUE{6,200}))re", Proof::mixed_value},
    {R"re((?i)--?[a-z-]{0,40}names[ \t]+(VALUE{6,200}))re", Proof::mixed_value},
};

std::string written_out(std::string_view pattern) {
  std::string out(pattern);
  for (const auto& [word, meant] : {std::pair{std::string_view("NAMES"), kUpperNames}, {"names", kNames}, {"VALUE", kBareValue}})
    if (const auto at = out.find(word); at != std::string::npos) out.replace(at, word.size(), meant);
  return out;
}

RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

bool has_digit(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c >= '0' && c <= '9'; });
}
bool has_letter(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

// Stands for a value: a template, a variable, stars, the name of a type.
bool is_placeholder(std::string_view value) {
  static constexpr std::array kWords =
      std::to_array<std::string_view>({"none", "null", "true", "false", "undefined", "string", "str", "text", "number", "bool",
                                       "boolean", "object", "required", "optional", "redacted", "xxxx", "yes", "no"});
  const auto word = base::to_lower(value);
  if (std::ranges::find(kWords, word) != kWords.end()) return true;
  if (value.find("REDACTED") != std::string_view::npos) return true;
  if (value.front() == '$' || value.front() == '<' || value.front() == '%' || value.starts_with("{{")) return true;
  if (value.size() < 6 && value.find_first_not_of("0123456789") == std::string_view::npos) return true;
  return value.find_first_not_of("*.xX-_#") == std::string_view::npos;
}

bool is_secret(std::string_view value, Proof proof) {
  switch (proof) {
    case Proof::none: return true;
    case Proof::mixed: return has_digit(value) && has_letter(value);
    case Proof::value: return !is_placeholder(value) && value.find_first_of("({") == std::string_view::npos;
    // "token: str", "password = user.password", "token=token", "token: 300".
    case Proof::mixed_value:
      return is_secret(value, Proof::value) && is_secret(value, Proof::mixed) && value.find('.') == std::string_view::npos;
  }
  return true;
}

struct Pattern {
  std::unique_ptr<RE2> expression;
  Proof proof = Proof::none;
  bool goes_on = false;
  int groups = 0;  // that are the secret, where there are any
};

const std::vector<Pattern>& well_known() {
  static const auto* const all = [] {
    auto* made = new std::vector<Pattern>;  // never goes: threads may use it to the end
    for (const auto& shape : kShapes) {
      auto expression = std::make_unique<RE2>(written_out(shape.pattern), options());
      ASSERT(expression->ok());
      const auto groups = expression->NumberOfCapturingGroups();
      made->push_back({std::move(expression), shape.proof, shape.goes_on && groups > 0, groups});
    }
    return made;
  }();
  return *all;
}

// Where a secret ends of which so much is known.
std::size_t end_of(std::string_view text, std::size_t begin, std::size_t end) {
  const char before = begin > 0 ? text[begin - 1] : ' ';
  const auto ends = before == '"' ? std::string_view("\"\n") : before == '\'' ? std::string_view("'\n") : kBareEnds;
  return std::min(text.find_first_of(ends, end), text.size());
}

void find_with(const Pattern& pattern, std::string_view text, std::vector<Secret>& found) {
  const StringPiece whole(text.data(), text.size());
  StringPiece matched[kGroupsMax + 1];
  std::size_t at = 0;
  for (std::size_t n = 0;
       at < text.size() && pattern.expression->Match(whole, at, text.size(), RE2::UNANCHORED, matched, pattern.groups + 1); ++n) {
    auto secret = matched[0];
    for (int i = 1; i <= pattern.groups; ++i)
      if (!matched[i].empty()) secret = matched[i];
    const auto begin = static_cast<std::size_t>(secret.data() - text.data());
    if (n == kMatchesMax) {
      found.push_back({begin, text.size()});
      return;
    }
    const bool is = !secret.empty() && is_secret({secret.data(), secret.size()}, pattern.proof);
    auto end = begin + secret.size();
    if (is && pattern.goes_on) end = end_of(text, begin, end);
    if (is) found.push_back({begin, end});
    // What is no secret may hold the name of one.
    at = is ? end : std::max(begin, static_cast<std::size_t>(matched[0].data() - text.data()) + 1);
  }
}

}  // namespace

struct Redactor::Patterns {
  std::vector<Pattern> all;
};

Redactor::Redactor(const std::vector<std::string>& patterns) {
  auto made = std::make_unique<Patterns>();
  for (const auto& pattern : patterns) {
    auto expression = std::make_unique<RE2>(pattern, options());
    if (expression->ok()) made->all.push_back({.expression = std::move(expression)});
  }
  own_ = std::move(made);
}

Redactor::~Redactor() = default;

std::vector<Secret> Redactor::find(std::string_view text) const {
  std::vector<Secret> found;
  for (const auto& pattern : well_known()) find_with(pattern, text, found);
  for (const auto& pattern : own_->all) find_with(pattern, text, found);
  std::ranges::sort(found, {}, &Secret::from);
  std::vector<Secret> merged;
  for (const auto& secret : found) {
    if (!merged.empty() && secret.from <= merged.back().to)
      merged.back().to = std::max(merged.back().to, secret.to);
    else
      merged.push_back(secret);
  }
  return merged;
}

std::string Redactor::redact(std::string_view text) const { return redacted_piece(text, find(text), 0, text.size()); }

std::string redacted_piece(std::string_view text, const std::vector<Secret>& secrets, std::size_t from, std::size_t to) {
  std::string out;
  for (const auto& secret : secrets) {
    if (secret.to <= from || secret.from >= to) continue;
    if (secret.from > from) out += text.substr(from, secret.from - from);
    out += kShown;
    from = std::min(std::max(from, secret.to), to);
  }
  if (from < to) out += text.substr(from, to - from);
  return out;
}

base::Result<> check_sensitive_pattern(const std::string& pattern) {
  if (pattern.size() > kPatternBytesMax)
    return base::fail(base::Errc::invalid_argument, "is longer than " + std::to_string(kPatternBytesMax) + " bytes");
  const RE2 expression(pattern, options());
  if (!expression.ok())
    return base::fail(base::Errc::invalid_argument,
                      "is no regular expression (RE2): " + expression.error().substr(0, expression.error().find(':')));
  if (RE2::FullMatch("", expression)) return base::fail(base::Errc::invalid_argument, "matches the empty text");
  return {};
}

}  // namespace tool
