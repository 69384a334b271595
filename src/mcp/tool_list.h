#pragma once
// What a server offers: the answers to tools/list, read with suspicion. Pure.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "mcp/json_rpc.h"

namespace mcp {

enum class TaskSupport { forbidden, optional, required };

struct ToolInfo {
  std::string name;         // as the server knows it
  std::string model_name;   // mcp/names.h
  std::string description;  // bounded; "" none
  std::string schema;       // JSON text of an object schema
  bool repeatable = false;  // the server says that calling it again does nothing more
  TaskSupport tasks = TaskSupport::forbidden;
};

struct ToolList {
  std::vector<ToolInfo> tools;        // by name, whatever order the server has
  std::vector<std::string> left_out;  // those that cannot be offered, each with the reason
};

class ToolListReader {
 public:
  explicit ToolListReader(std::string server) : server_(std::move(server)) {}

  // One answer; where the next page begins, if there is one. Errc::invalid_argument: it is none.
  base::Result<std::optional<std::string>> add_page(const json::object& result);

  // Of tools whose names for the model differ in case alone the first by name stays: nothing tells such tools apart here.
  ToolList finish() &&;

 private:
  void add(const json::value& item);
  void leave_out(std::string_view name, std::string why);

  std::string server_;
  ToolList list_;
  std::set<std::string, std::less<>> names_;
  std::size_t pages_ = 0;
};

}  // namespace mcp
