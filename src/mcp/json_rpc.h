#pragma once
// JSON-RPC 2.0 as MCP uses it: text to messages and back, for its servers and its clients. Pure; nothing from outside makes it
// throw.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mcp {

namespace json = boost::json;

// The codes that are used; the last three are MCP's own. What others answer may have any.
enum class Code : int {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  internal_error = -32603,
  header_mismatch = -32020,
  missing_capability = -32021,
  unsupported_version = -32022,
};

struct RpcError {
  Code code = Code::internal_error;
  std::string message = {};
  json::value data = {};  // null: none
  int http_status = 200;  // of the answer, where HTTP carries it
};

// What a request comes to.
using Answer = std::expected<json::object, RpcError>;

enum class MessageKind { request, notification, response };

struct Message {
  MessageKind kind = MessageKind::request;
  json::value id = {};  // text or an integer; null for a notification
  std::string method = {};
  json::object params = {};
  std::optional<Answer> answer = {};  // of a response; none: it cannot be read
};

// A message that is none, with its id where that could be read.
struct Refused {
  json::value id = {};
  RpcError error = {};
};

struct Decoded {
  std::vector<std::expected<Message, Refused>> messages;  // one; of a batch one for each element, at most kMcpBatchMax
  bool batch = false;
};

// Never empty: text that is no JSON is one refused message (-32700), an empty or too long batch too (-32600).
Decoded decode(std::string_view text);

// Whole messages, without newline.
std::string encode_answer(const json::value& id, const Answer& answer);
std::string encode_error(const json::value& id, const RpcError& error);
std::string encode_request(std::int64_t id, std::string_view method, json::object params);
std::string encode_notification(std::string_view method, json::object params);

std::unexpected<RpcError> refuse(Code code, std::string message, int http_status = 200);

}  // namespace mcp
