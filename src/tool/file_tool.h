#pragma once
// What the five file tools have in common: the directories of a run are opened and everything that blocks runs on the pool.
#include <boost/json/object.hpp>
#include <memory>
#include <string>

#include "aio/offload.h"
#include "base/error.h"
#include "tool/file_space.h"
#include "tool/replace_file.h"
#include "tool/tool.h"

namespace tool {

class FileTool : public Tool {
 public:
  FileTool(aio::Offload& offload, Definition definition) : offload_(offload), definition_(std::move(definition)) {}
  const Definition& definition() const final { return definition_; }
  aio::Task<Outcome> call(boost::json::object arguments, Context context) final;

 protected:
  // Pool thread; may run several times at once. An error becomes an error outcome "NAME: message".
  virtual base::Result<std::string> work(const boost::json::object& arguments, const FileSpace& space) const = 0;

 private:
  aio::Offload& offload_;
  Definition definition_;
};

std::unique_ptr<Tool> read_tool(aio::Offload& offload);
// Write and Edit share the locks, so that they do not overwrite each other's changes; whichever tool lives longest owns them.
std::unique_ptr<Tool> write_tool(aio::Offload& offload, std::shared_ptr<FileLocks> locks);
std::unique_ptr<Tool> edit_tool(aio::Offload& offload, std::shared_ptr<FileLocks> locks);
std::unique_ptr<Tool> glob_tool(aio::Offload& offload);
std::unique_ptr<Tool> grep_tool(aio::Offload& offload);

// Fields of arguments that have passed the schema.
std::string text_argument(const boost::json::object& arguments, std::string_view name, std::string_view otherwise = {});
std::int64_t int_argument(const boost::json::object& arguments, std::string_view name, std::int64_t otherwise);
bool bool_argument(const boost::json::object& arguments, std::string_view name, bool otherwise);

// "1 file", "2 files".
std::string counted(std::size_t n, std::string_view noun);

}  // namespace tool
