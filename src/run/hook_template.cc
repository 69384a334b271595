#include "run/hook_template.h"

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/text.h"

namespace run {

namespace json = boost::json;

namespace {

constexpr std::size_t kSegmentsMax = 32;

const json::value* child(const json::value& of, std::string_view segment) {
  if (const auto* o = of.if_object()) return o->if_contains(segment);
  const auto* list = of.if_array();
  const auto index = list ? base::parse_int(segment) : std::nullopt;
  if (!index) return nullptr;
  const auto size = static_cast<std::int64_t>(list->size());
  const auto at = *index < 0 ? size + *index : *index;
  return at >= 0 && at < size ? &(*list)[static_cast<std::size_t>(at)] : nullptr;
}

// Inside which quotes of a shell the end of this text is.
char open_quote(std::string_view command) {
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote != '\'' && c == '\\') {
      ++i;
    } else if (quote == c) {
      quote = 0;
    } else if (!quote && (c == '\'' || c == '"')) {
      quote = c;
    }
  }
  return quote;
}

std::string as_word(std::string_view value) {
  std::string word = "'";
  for (const char c : value)
    if (c == '\'')
      word += "'\\''";
    else if (c != '\0')
      word += c;
  return word + "'";
}

const json::value* find_exactly(const json::value& facts, std::string_view path) {
  const auto segments = base::split(path, '.');
  if (segments.size() > kSegmentsMax) return nullptr;
  const auto* at = &facts;
  for (const auto segment : segments)
    if (at) at = child(*at, segment);
  return at;
}

}  // namespace

const json::value* find_path(const json::value& facts, std::string_view path) {
  if (const auto* found = find_exactly(facts, path)) return found;
  // Tools wrap their answers or not: `result.data.x` finds `result.x`, and the other way round.
  constexpr std::string_view kWrapped = "result.data.", kPlain = "result.";
  std::string other(path);
  if (const auto at = path.find(kWrapped); at != std::string_view::npos)
    other.replace(at, kWrapped.size(), kPlain);
  else if (const auto plain = path.find(kPlain); plain != std::string_view::npos)
    other.replace(plain, kPlain.size(), kWrapped);
  else
    return nullptr;
  return find_exactly(facts, other);
}

std::string text_of(const json::value* value) {
  if (!value || value->is_null()) return {};
  return value->is_string() ? std::string(value->get_string()) : base::to_text(*value);
}

std::string render(std::string_view text, const json::value& facts) {
  return render(text, facts, [](std::string_view, std::string value) { return value; });
}

std::string render(std::string_view text, const json::value& facts,
                   const std::function<std::string(std::string_view so_far, std::string value)>& put) {
  std::string out;
  for (;;) {
    const auto open = text.find("{{");
    const auto close = open == std::string_view::npos ? open : text.find("}}", open + 2);
    if (close == std::string_view::npos) return out.append(text);
    out.append(text.substr(0, open));
    const auto path = base::trim(text.substr(open + 2, close - open - 2));
    out += put(out, text_of(find_path(facts, path)));
    text.remove_prefix(close + 2);
  }
}

json::value render_all(const json::value& value, const json::value& facts) {
  if (const auto* o = value.if_object()) {
    json::object out;
    for (const auto& [key, inner] : *o) out[key] = render_all(inner, facts);
    return out;
  }
  if (const auto* list = value.if_array()) {
    json::array out;
    for (const auto& inner : *list) out.push_back(render_all(inner, facts));
    return out;
  }
  if (!value.is_string()) return value;
  const auto text = base::trim(std::string_view(value.get_string()));
  const bool alone = text.starts_with("{{") && text.find("}}") == text.size() - 2;
  if (!alone) return json::value(render(value.get_string(), facts));
  const auto* found = find_path(facts, base::trim(text.substr(2, text.size() - 4)));
  return found ? *found : json::value("");
}

std::string render_command(std::string_view text, const json::value& facts) {
  return render(text, facts, [](std::string_view so_far, std::string value) {
    const auto quote = open_quote(so_far);
    const auto word = as_word(value);
    return quote ? quote + word + quote : word;  // closes the quotes that it stands in, and opens them again
  });
}

}  // namespace run
