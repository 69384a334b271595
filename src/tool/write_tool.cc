// Write: a whole file, created or replaced atomically.
#include <algorithm>

#include "base/limits.h"
#include "tool/file_content.h"
#include "tool/file_tool.h"

namespace tool {

namespace {

constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {
    "file_path": {"type": "string", "minLength": 1, "description": "The file, relative to the work directory (or absolute inside it)."},
    "content": {"type": "string", "description": "The whole content of the file."}
  },
  "required": ["file_path", "content"],
  "additionalProperties": false
})";

class WriteTool final : public FileTool {
 public:
  WriteTool(aio::Offload& offload, Definition definition, std::shared_ptr<FileLocks> locks)
      : FileTool(offload, std::move(definition)), locks_(std::move(locks)) {}

 protected:
  base::Result<std::string> work(const boost::json::object& arguments, const FileSpace& space) const override {
    const auto given = text_argument(arguments, "file_path");
    const auto content = text_argument(arguments, "content");
    const auto spot = space.find(given);
    if (!spot) return std::unexpected(spot.error());
    if (given.ends_with('/'))
      return base::fail(base::Errc::invalid_argument, "'" + shown(given) + "' names a directory, not a file");
    auto place = spot->directory.place(spot->path, Parents::create);
    if (!place) return std::unexpected(place.error());
    const auto lock = locks_->lock(*place);
    if (auto replaced = replace_file(*place, content); !replaced) return std::unexpected(replaced.error());

    std::string text = (place->exists ? "Replaced '" : "Created '") + shown(place->path) + "': " + size_text(content.size()) +
                       ", " + counted(lines(content), "line");
    if (place->directories_created > 0)
      text += "; made " + counted(static_cast<std::size_t>(place->directories_created), "directory");
    return text + ".";
  }

 private:
  static std::size_t lines(std::string_view content) {
    const auto newlines = static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n'));
    return newlines + (content.empty() || content.ends_with('\n') ? 0 : 1);
  }

  std::shared_ptr<FileLocks> locks_;
};

}  // namespace

std::unique_ptr<Tool> write_tool(aio::Offload& offload, std::shared_ptr<FileLocks> locks) {
  Definition definition;
  definition.name = "Write";
  definition.module = "filesystem";
  definition.action = "write";
  definition.description =
      "Writes a whole file in the work directory: creates it, and missing directories on the way, or replaces what is there. To "
      "change "
      "a part of a file use Edit.";
  definition.schema = kSchema;
  definition.side_effect = SideEffect::idempotent;  // the same bytes again
  return std::make_unique<WriteTool>(offload, std::move(definition), std::move(locks));
}

}  // namespace tool
