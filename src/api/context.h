#pragma once
// What the protocol adapters work with. All referenced objects outlive the server.
#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/definition.h"
#include "engine/deps.h"
#include "engine/executor.h"
#include "engine/housekeeping.h"

namespace api {

struct ServerOptions {
  std::string os_id, name;
  std::string security_key;             // "" = open (loopback only)
  std::vector<std::string> cors_origins;
  std::int64_t instantiated_ms = 0;
  // What clients of MCP may run as background tasks, by the tools' names; none: they are not offered any.
  std::vector<std::string> mcp_tools = {};
  std::int64_t keep_ms = 0;  // how long results are kept after the end; 0: for ever
};

namespace mcp {
class UnderWay;
}

struct Context {
  engine::Deps& deps;
  engine::Executor& executor;
  engine::Housekeeping& housekeeping;
  const app::App& app;
  ServerOptions options;
  std::string work_directory;           // absolute: where file tools of launched runs work
  mcp::UnderWay* mcp_calls = nullptr;   // requests of MCP clients that can be given up; set by the server
  bool stopping = false;                // streams are cut without a final chunk, so that clients know to resume
};

const app::Agent* find_agent(const Context& context, std::string_view id);
// Whose runs can be read, followed, decided and cancelled: an agent of the app, or a coding-agent program, whose runs are started on
// the command line.
bool has_runs(const Context& context, std::string_view id);

}  // namespace api
