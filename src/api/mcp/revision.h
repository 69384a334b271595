#pragma once
// The revisions of MCP that are spoken, and what each requires of a request. Pure.
#include <optional>
#include <string>
#include <string_view>

#include "api/mcp/json_rpc.h"

namespace api::mcp {

inline constexpr std::string_view kStateless = "2026-07-28";      // every request says for itself what its client is
inline constexpr std::string_view kWithTasks = "2025-11-25";      // the newest with a handshake; its tasks are part of the core
inline constexpr std::string_view kWithBatches = "2025-03-26";    // what a client that names none speaks over HTTP
inline constexpr std::string_view kTasksExtension = "io.modelcontextprotocol/tasks";

// Newest first.
json::array supported_versions();
bool has_handshake(std::string_view version);
// What a client that asks for `wanted` is offered: that, or the newest with a handshake.
std::string_view negotiate(std::string_view wanted);

// Whether the request is of a revision without handshake: it says so itself, or its header names none that has one.
bool is_stateless(const Message& message, std::optional<std::string_view> version_header);

// What a stateless request says of its client.
struct RequestMeta {
  bool takes_tasks = false;  // knows the tasks extension
};
// `version_header`: where HTTP carries it; nothing elsewhere. The refusals are -32602, -32020 and -32022, all 400.
struct VersionHeader {
  std::optional<std::string_view> value;
};
std::expected<RequestMeta, RpcError> read_meta(const Message& message, std::optional<VersionHeader> version_header);

// The headers of a stateless request against its body: Mcp-Method on all, Mcp-Name where the method names something.
std::optional<RpcError> check_headers(const Message& message, std::optional<std::string_view> method_header,
                                      std::optional<std::string_view> name_header);

}  // namespace api::mcp
