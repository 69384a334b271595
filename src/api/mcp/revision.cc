#include "api/mcp/revision.h"

#include "base/json.h"
#include "base/text.h"

namespace api::mcp {

namespace {

constexpr std::string_view kVersionKey = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";
constexpr int kBadRequest = 400;

// The field that Mcp-Name repeats; "" where a method has none.
std::string_view named_field(std::string_view method) {
  if (method == "tools/call" || method == "prompts/get") return "name";
  if (method == "resources/read") return "uri";
  if (method == "tasks/get" || method == "tasks/update" || method == "tasks/cancel") return "taskId";
  return {};
}

RpcError mismatch(std::string message) {
  return {.code = Code::header_mismatch, .message = std::move(message), .data = {}, .http_status = kBadRequest};
}

}  // namespace

bool is_stateless(const Message& message, std::optional<std::string_view> version_header) {
  const auto* meta = base::object_field(message.params, "_meta");
  if (meta && meta->contains(kVersionKey)) return true;
  return version_header && !has_handshake(*version_header);
}

std::expected<RequestMeta, RpcError> read_meta(const Message& message, std::optional<VersionHeader> version_header) {
  const auto missing = [](std::string_view key) {
    return refuse(Code::invalid_params, "params._meta must hold " + std::string(key), kBadRequest);
  };
  const auto* meta = base::object_field(message.params, "_meta");
  const auto version = meta ? base::string_field(*meta, kVersionKey) : std::nullopt;
  if (!version) return missing(kVersionKey);
  if (version_header && version_header->value != version)
    return std::unexpected(mismatch("MCP-Protocol-Version does not repeat the request's own version"));
  if (*version != kStateless) {
    RpcError error{
        .code = Code::unsupported_version, .message = "Unsupported protocol version", .data = {}, .http_status = kBadRequest};
    error.data = json::object{{"supported", supported_versions()}, {"requested", *version}};
    return std::unexpected(std::move(error));
  }
  const auto* capabilities = base::object_field(*meta, kCapabilitiesKey);
  if (!capabilities) return missing(kCapabilitiesKey);
  const auto* extensions = base::object_field(*capabilities, "extensions");
  return RequestMeta{.takes_tasks = extensions && base::object_field(*extensions, kTasksExtension)};
}

std::optional<RpcError> check_headers(const Message& message, std::optional<std::string_view> method_header,
                                      std::optional<std::string_view> name_header) {
  if (!method_header || base::trim(*method_header) != message.method)
    return mismatch("Mcp-Method does not repeat the request's method");
  const auto field = named_field(message.method);
  if (field.empty()) return std::nullopt;
  const auto name = base::string_field(message.params, field);
  if (!name && !name_header) return std::nullopt;  // the method itself says what is missing
  if (!name || !name_header || base::trim(*name_header) != *name)
    return mismatch("Mcp-Name does not repeat params." + std::string(field));
  return std::nullopt;
}

}  // namespace api::mcp
