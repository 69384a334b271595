#pragma once
// The revisions of MCP that are spoken, as server and as client. Pure.
#include <boost/json/array.hpp>
#include <string_view>

namespace mcp {

inline constexpr std::string_view kStateless = "2026-07-28";    // every request says for itself what its client is
inline constexpr std::string_view kWithTasks = "2025-11-25";    // the newest with a handshake; its tasks are part of the core
inline constexpr std::string_view kWithBatches = "2025-03-26";  // what a client that names none speaks over HTTP
inline constexpr std::string_view kTasksExtension = "io.modelcontextprotocol/tasks";

// Newest first.
boost::json::array supported_versions();
bool has_handshake(std::string_view version);
// What a client that asks for `wanted` is offered: that, or the newest with a handshake.
std::string_view negotiate(std::string_view wanted);

}  // namespace mcp
