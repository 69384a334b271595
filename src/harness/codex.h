#pragma once
// Codex: what its two ways of being driven share. `codex exec` works on one message and asks nobody; `codex app-server` speaks
// JSON-RPC over its input and output, asks, and takes messages while it works. docs/formats/harness.md has the lines.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/failure.h"
#include "harness/harness.h"
#include "harness/json_line.h"

namespace harness {

Command codex_exec_command(const Start& start);
std::unique_ptr<Decoder> codex_exec_decoder(const Start& start);
Command codex_server_command(const Start& start);
std::unique_ptr<Decoder> codex_server_decoder(const Start& start);

// The items of a turn: its texts and calls, in the spelling of either way.
class CodexItems {
 public:
  // False: an item of no known type.
  bool began(const json::object& item, std::vector<Told>& out);
  bool completed(const json::object& item, std::vector<Told>& out);
  // A turn begins or is over.
  void clear();

  const std::string& said() const { return said_; }  // the last text of the turn
  const run::ToolCall* call(const std::string& id) const;  // begun, not ended; null if there is none

 private:
  void begin(const run::ToolCall& call, std::vector<Told>& out);

  std::map<std::string, run::ToolCall> calls_;
  std::string said_;
};

// The item's type in the spelling of `codex exec`: "commandExecution" is "command_execution". "" where it has none.
std::string codex_item_type(const json::object& item);

}  // namespace harness
