#pragma once
// What each revision of MCP requires of a request. Pure.
#include <optional>
#include <string>
#include <string_view>

#include "api/mcp/protocol.h"

namespace api::mcp {

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
