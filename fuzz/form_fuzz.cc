// Bytes from outside must neither crash the parsers of net/form.h nor break what their header promises.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/limits.h"
#include "base/text.h"
#include "net/form.h"

namespace {

void check_form(const net::Form& form, std::string_view input) {
  ASSERT(form.size() <= base::limits::kFormFieldsMax);
  for (const auto& field : form) {
    ASSERT(base::valid_utf8(field.name) && base::valid_utf8(field.filename) && base::valid_utf8(field.content_type));
    ASSERT(!field.filename.empty() || base::valid_utf8(field.value));
    ASSERT(field.filename.empty() || input.find(field.value) != std::string_view::npos);
    const auto last = net::value(form, field.name);
    ASSERT(!last || !last->empty());
  }
}

void check_target(std::string_view text) {
  const auto target = net::parse_target(text);
  if (!target) return;
  std::string joined;
  for (const auto& segment : target->segments) joined += '/' + segment;
  ASSERT(target->path == (target->segments.empty() ? "/" : joined));
  ASSERT(base::valid_utf8(target->path));
  check_form(target->query, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  ASSERT(net::percent_decode(input, net::Plus::keep).size() <= size);
  ASSERT(net::percent_decode(input, net::Plus::space).size() <= size);
  check_target(input);
  check_target('/' + std::string(input));
  check_form(net::parse_query(input), input);
  // The first line is a content type, the rest a body; and the whole as a body of a known boundary.
  const auto line = input.substr(0, input.find('\n'));
  const auto rest = input.substr(std::min(line.size() + 1, size));
  for (const auto& type :
       {std::string(line), "multipart/form-data;" + std::string(line), std::string("multipart/form-data; boundary=b")}) {
    const auto form = net::parse_form(type, rest);
    if (form) check_form(*form, rest);
  }
  return 0;
}
