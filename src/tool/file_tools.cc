#include "base/json.h"
#include "tool/file_tool.h"

namespace tool {

aio::Task<Outcome> FileTool::call(boost::json::object arguments, Context context) {
  // Starts and ends on the io thread; the work itself runs on the pool.
  auto job = [this, arguments = std::move(arguments), context = std::move(context)]() -> Outcome {
    auto space = FileSpace::open(context.work_directory, context.roots);
    if (!space) return {definition_.name + ": " + space.error().message, true};
    if (!context.settings.file_paths.empty()) space->confine(context.settings.file_paths);
    auto text = work(arguments, *space);
    if (!text) return {definition_.name + ": " + text.error().message, true};
    return {std::move(*text), false};
  };
  auto running = offload_.run(std::move(job));
  co_return co_await std::move(running);
}

std::string text_argument(const boost::json::object& arguments, std::string_view name, std::string_view otherwise) {
  return std::string(base::string_field(arguments, name).value_or(otherwise));
}

std::int64_t int_argument(const boost::json::object& arguments, std::string_view name, std::int64_t otherwise) {
  return base::int_field(arguments, name).value_or(otherwise);
}

bool bool_argument(const boost::json::object& arguments, std::string_view name, bool otherwise) {
  return base::bool_field(arguments, name).value_or(otherwise);
}

std::string counted(std::size_t n, std::string_view noun) {
  // "match" and "directory" are the irregular nouns that occur.
  std::string plural = std::string(noun) + "s";
  if (noun.ends_with("ch")) plural = std::string(noun) + "es";
  if (noun.ends_with("y")) plural = std::string(noun.substr(0, noun.size() - 1)) + "ies";
  return std::to_string(n) + " " + (n == 1 ? std::string(noun) : plural);
}

std::vector<std::unique_ptr<Tool>> file_tools(aio::Offload& offload) {
  auto locks = std::make_shared<FileLocks>();
  std::vector<std::unique_ptr<Tool>> tools;
  tools.push_back(read_tool(offload));
  tools.push_back(write_tool(offload, locks));
  tools.push_back(edit_tool(offload, locks));
  tools.push_back(glob_tool(offload));
  tools.push_back(grep_tool(offload));
  return tools;
}

}  // namespace tool
