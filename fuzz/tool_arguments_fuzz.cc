// Tool arguments as a model may write them, and the patterns within them: no crash, and what is accepted fits the schema.
#include <re2/re2.h>

#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "tool/arguments.h"
#include "tool/glob_pattern.h"
#include "tool/grep_search.h"
#include "tool/schema.h"

namespace {

constexpr std::string_view kSchema = R"({
  "type": "object",
  "properties": {
    "file_path": {"type": "string", "minLength": 1},
    "pattern": {"type": "string"},
    "offset": {"type": "integer", "minimum": 0},
    "ratio": {"type": "number"},
    "replace_all": {"type": "boolean"},
    "output_mode": {"type": "string", "enum": ["content", "count"]},
    "items": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}, "maxItems": 3},
    "params": {"type": ["object", "null"]}
  },
  "required": ["file_path"],
  "additionalProperties": false
})";

const tool::Schema& schema() {
  static const tool::Schema compiled = tool::Schema::compile(kSchema).value();
  return compiled;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto accepted = tool::accept_arguments(text, schema());
  if (!accepted) {
    ASSERT(!accepted.error().message.empty() && base::valid_utf8(accepted.error().message));
    return 0;
  }
  ASSERT(schema().problems(*accepted).empty());
  ASSERT(base::string_field(*accepted, "file_path"));
  // Adapting twice changes nothing more.
  auto again = *accepted;
  tool::adapt_arguments(again, schema());
  ASSERT(again == *accepted);

  const auto pattern = std::string(base::string_field(*accepted, "pattern").value_or(""));
  const auto path = std::string(base::string_field(*accepted, "file_path").value_or(""));
  for (const auto anchor : {tool::Anchor::path, tool::Anchor::basename})
    if (const auto glob = tool::GlobPattern::compile(pattern, anchor)) (void)glob->matches(path);
  if (const auto regex = tool::GrepSearch::compile(pattern, false)) {
    tool::GrepOptions options;
    options.mode = tool::GrepMode::content;
    options.before = options.after = 1;
    options.shown_max = 10;
    tool::GrepSearch search(**regex, options);
    search.file("f", path);
    ASSERT(base::valid_utf8(search.output()));
    ASSERT(search.shown() <= search.lines_matched());
  }
  return 0;
}
