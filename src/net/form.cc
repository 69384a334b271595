#include "net/form.h"

#include <algorithm>
#include <cstddef>

#include "base/limits.h"
#include "base/text.h"

namespace net {

namespace limits = base::limits;
using base::Errc;

namespace {

constexpr std::size_t kBoundaryBytesMax = 200;  // RFC 2046 says 70; some clients are generous
constexpr std::size_t kPartHeaderBytesMax = 8 << 10;
constexpr std::size_t kParametersMax = 16;
constexpr std::string_view kBlank = " \t";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// Names and values become text here, once: what is stored and shown later is valid UTF-8.
std::string decode_text(std::string_view text, Plus plus) { return base::utf8_lossy(percent_decode(text, plus)); }

// All pairs, or nothing if there are more than `fields_max`.
enum class Excess { drop, refuse };
base::Result<Form> parse_pairs(std::string_view text, Excess excess) {
  Form form;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    if (form.size() == limits::kFormFieldsMax) {
      if (excess == Excess::drop) break;
      return base::fail(Errc::invalid_argument, "the form has more than " + std::to_string(limits::kFormFieldsMax) + " fields");
    }
    const auto equals = std::min(pair.find('='), pair.size());
    const auto value = pair.substr(std::min(equals + 1, pair.size()));
    FormField field;
    field.name = decode_text(pair.substr(0, equals), Plus::space);
    field.value = decode_text(value, Plus::space);
    form.push_back(std::move(field));
  }
  return form;
}

// `form-data; name="a"; filename="b"`: the first word, in lower case, and its parameters.
struct Parameter {
  std::string name;  // lower case
  std::string value;
};
struct Parameterized {
  std::string word;
  std::vector<Parameter> parameters;

  std::string_view parameter(std::string_view name) const {
    const auto at = std::ranges::find(parameters, name, &Parameter::name);
    return at == parameters.end() ? std::string_view() : at->value;
  }
};

// Takes a quoted string off the front of `text`, which starts with the quote; nothing if it does not end. Only \" and \\
// are escapes: browsers send other backslashes as they are.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return out;
    }
    const bool escape = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    out += text[escape ? ++i : i];
  }
  return std::nullopt;
}

std::optional<Parameterized> parse_parameterized(std::string_view text) {
  Parameterized out;
  const auto end = std::min(text.find(';'), text.size());
  out.word = base::to_lower(base::trim(text.substr(0, end)));
  text.remove_prefix(end);
  while (out.parameters.size() < kParametersMax) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t;"), text.size()));
    if (text.empty()) break;
    const auto name_end = std::min(text.find_first_of("=;"), text.size());
    Parameter parameter;
    parameter.name = base::to_lower(base::trim(text.substr(0, name_end)));
    text.remove_prefix(name_end);
    if (text.starts_with('=')) {
      text.remove_prefix(1);
      text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
      if (text.starts_with('"')) {
        auto quoted = take_quoted(text);
        if (!quoted) return std::nullopt;
        parameter.value = std::move(*quoted);
      } else {
        const auto value_end = std::min(text.find(';'), text.size());
        parameter.value = base::trim(text.substr(0, value_end));
      }
      text.remove_prefix(std::min(text.find(';'), text.size()));
    }
    out.parameters.push_back(std::move(parameter));
  }
  return out;
}

// RFC 5987's `UTF-8''%C3%BC.txt`, which some older clients send for other than ASCII names.
std::string extended_value(std::string_view text) {
  const auto first = text.find('\'');
  const auto second = first == std::string_view::npos ? first : text.find('\'', first + 1);
  return second == std::string_view::npos ? std::string() : percent_decode(text.substr(second + 1), Plus::keep);
}

// A boundary line, or nothing if what follows the boundary shows that these bytes are content.
struct Delimiter {
  std::size_t from;  // of the line break before it
  std::size_t next;  // behind its line
  bool last;
};

std::optional<Delimiter> delimiter_at(std::string_view body, std::size_t from, std::size_t behind) {
  if (body.substr(behind).starts_with("--")) return Delimiter{from, behind + 2, true};
  const auto line_end = std::min(body.find_first_not_of(kBlank, behind), body.size());
  if (!body.substr(line_end).starts_with("\r\n")) return std::nullopt;
  return Delimiter{from, line_end + 2, false};
}

// `line`: CRLF and the dash-boundary. A match starts with the only CR in it, so that all searches together are linear.
std::optional<Delimiter> find_delimiter(std::string_view body, std::size_t from, std::string_view line) {
  for (auto at = body.find(line, from); at != std::string_view::npos; at = body.find(line, at + 1)) {
    const auto found = delimiter_at(body, at, at + line.size());
    if (found) return found;
  }
  return std::nullopt;
}

std::unexpected<base::Error> malformed(std::string_view what) {
  return base::fail(Errc::invalid_argument, "malformed multipart form: " + std::string(what));
}

// The header lines of a part, without the blank line behind them.
base::Result<FormField> parse_part_header(std::string_view text) {
  FormField field;
  bool named = false;
  while (!text.empty()) {
    const auto end = std::min(text.find("\r\n"), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return malformed("a part's header line has no colon");
    const auto name = base::to_lower(base::trim(line.substr(0, colon)));
    const auto value = base::trim(line.substr(colon + 1));
    if (name == "content-type") field.content_type = base::utf8_lossy(value);
    if (name != "content-disposition") continue;
    const auto disposition = parse_parameterized(value);
    if (!disposition) return malformed("a quoted name does not end");
    if (disposition->word != "form-data") return malformed("a part is not form-data");
    named = std::ranges::find(disposition->parameters, "name", &Parameter::name) != disposition->parameters.end();
    field.name = base::utf8_lossy(disposition->parameter("name"));
    field.filename = base::utf8_lossy(disposition->parameter("filename"));
    if (field.filename.empty()) field.filename = base::utf8_lossy(extended_value(disposition->parameter("filename*")));
  }
  if (!named) return malformed("a part has no name");
  return field;
}

base::Result<Form> parse_multipart(std::string_view boundary, std::string_view body) {
  Form form;
  if (body.empty()) return form;
  const auto line = "\r\n--" + std::string(boundary);
  const auto dashes = std::string_view(line).substr(2);
  std::optional<Delimiter> delimiter;
  if (body.starts_with(dashes)) delimiter = delimiter_at(body, 0, dashes.size());
  if (!delimiter) delimiter = find_delimiter(body, 0, line);
  if (!delimiter) return malformed("its boundary is nowhere in the body");
  while (!delimiter->last) {
    if (form.size() == limits::kFormFieldsMax) return malformed("more than " + std::to_string(limits::kFormFieldsMax) + " parts");
    const auto header_from = delimiter->next;
    const auto header_end = body.substr(header_from, kPartHeaderBytesMax).find("\r\n\r\n");
    if (header_end == std::string_view::npos) return malformed("a part's header does not end, or is too long");
    auto field = parse_part_header(body.substr(header_from, header_end));
    if (!field) return std::unexpected(field.error());
    const auto content_from = header_from + header_end + 4;
    // A part without even an empty body: the blank line's break is that of the delimiter too.
    delimiter = find_delimiter(body, content_from - 2, line);
    if (!delimiter) return malformed("the last part does not end");
    const auto content_end = std::max(delimiter->from, content_from);
    const auto content = body.substr(content_from, content_end - content_from);
    field->value = field->filename.empty() ? base::utf8_lossy(content) : std::string(content);
    form.push_back(std::move(*field));
  }
  return form;
}

}  // namespace

std::optional<std::string_view> value(const Form& form, std::string_view name) {
  for (auto at = form.rbegin(); at != form.rend(); ++at) {
    if (at->name != name || !at->filename.empty()) continue;
    if (at->value.empty()) return std::nullopt;
    return at->value;
  }
  return std::nullopt;
}

std::string percent_decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' && plus == Plus::space ? ' ' : text[i];
    }
  }
  return out;
}

Form parse_query(std::string_view query) { return *parse_pairs(query, Excess::drop); }

base::Result<Form> parse_form(std::string_view content_type, std::string_view body) {
  const auto type = parse_parameterized(content_type);
  const auto word = type ? type->word : base::to_lower(base::trim(content_type.substr(0, content_type.find(';'))));
  if (word == "application/x-www-form-urlencoded") return parse_pairs(body, Excess::refuse);
  if (word != "multipart/form-data") return Form{};
  const auto boundary = type ? type->parameter("boundary") : std::string_view();
  if (boundary.empty()) return malformed("its content-type names no boundary");
  if (boundary.size() > kBoundaryBytesMax) return malformed("its boundary is too long");
  if (std::ranges::any_of(boundary, control)) return malformed("its boundary has control characters");
  return parse_multipart(boundary, body);
}

base::Result<Target> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return base::fail(Errc::invalid_argument, "the request's target does not start with a slash");
  if (target.size() > limits::kHttpTargetBytesMax) return base::fail(Errc::invalid_argument, "the request's target is too long");
  Target out;
  const auto path_end = std::min(target.find('?'), target.size());
  auto path = target.substr(0, path_end);
  out.query = parse_query(target.substr(std::min(path_end + 1, target.size())));
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  out.path = "/";
  if (path == "/") return out;
  for (const auto part : base::split(path.substr(1), '/')) {
    auto segment = decode_text(part, Plus::keep);
    if (std::ranges::any_of(segment, control))
      return base::fail(Errc::invalid_argument, "the request's path has control characters");
    if (!out.segments.empty()) out.path += '/';
    out.path += segment;
    out.segments.push_back(std::move(segment));
  }
  return out;
}

}  // namespace net
