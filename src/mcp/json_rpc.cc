#include "mcp/json_rpc.h"

#include <limits>

#include "base/json.h"
#include "base/limits.h"

namespace mcp {

namespace limits = base::limits;

namespace {

std::unexpected<Refused> refused(json::value id, Code code, std::string message) {
  return std::unexpected(Refused{.id = std::move(id), .error = {.code = code, .message = std::move(message)}});
}

bool usable_id(const json::value& id) {
  if (const auto* text = id.if_string()) return text->size() <= limits::kMcpIdBytesMax;
  return id.is_int64() || id.is_uint64();
}

// What a response says; nothing where it is neither a result nor an error.
std::optional<Answer> read_answer(const json::object& o) {
  if (const auto* error = base::object_field(o, "error")) {
    const auto code = base::int_field(*error, "code");
    if (!code || *code < std::numeric_limits<int>::min() || *code > std::numeric_limits<int>::max()) return std::nullopt;
    RpcError read{.code = static_cast<Code>(*code), .message = base::text_or_empty(*error, "message")};
    if (const auto* data = error->if_contains("data")) read.data = *data;
    return std::unexpected(std::move(read));
  }
  const auto* result = base::object_field(o, "result");
  return result ? std::optional<Answer>(*result) : std::nullopt;
}

std::expected<Message, Refused> read_message(const json::value& value) {
  const auto* o = value.if_object();
  if (!o) return refused(nullptr, Code::invalid_request, "a message is a JSON object");
  const auto* id = o->if_contains("id");
  const json::value known = id && usable_id(*id) ? *id : json::value();
  if (base::text_or_empty(*o, "jsonrpc") != "2.0") return refused(known, Code::invalid_request, "jsonrpc must be \"2.0\"");
  if (id && known.is_null()) return refused(nullptr, Code::invalid_request, "id must be a string or an integer");
  const auto* method = o->if_contains("method");
  if (!method) {
    if (id && (o->contains("result") || o->contains("error")))
      return Message{.kind = MessageKind::response, .id = known, .answer = read_answer(*o)};
    return refused(known, Code::invalid_request, "method is missing");
  }
  if (!method->is_string() || method->get_string().empty() || method->get_string().size() > limits::kNameBytesMax)
    return refused(known, Code::invalid_request, "method must be a name");
  Message message{
      .kind = id ? MessageKind::request : MessageKind::notification, .id = known, .method = std::string(method->get_string())};
  if (const auto* params = o->if_contains("params")) {
    if (!params->is_object()) return refused(known, Code::invalid_params, "params must be an object");
    message.params = params->get_object();
  }
  return message;
}

}  // namespace

Decoded decode(std::string_view text) {
  Decoded decoded;
  const auto value = base::parse_json(text);
  if (!value) {
    decoded.messages.push_back(refused(nullptr, Code::parse_error, "not JSON: " + value.error().message));
    return decoded;
  }
  const auto* batch = value->if_array();
  if (!batch) {
    decoded.messages.push_back(read_message(*value));
    return decoded;
  }
  decoded.batch = true;
  if (batch->empty() || batch->size() > limits::kMcpBatchMax) {
    decoded.messages.push_back(
        refused(nullptr, Code::invalid_request, "a batch holds 1 to " + std::to_string(limits::kMcpBatchMax) + " messages"));
    return decoded;
  }
  for (const auto& element : *batch) decoded.messages.push_back(read_message(element));
  return decoded;
}

std::string encode_error(const json::value& id, const RpcError& error) {
  json::object out{{"code", static_cast<int>(error.code)}, {"message", error.message}};
  if (!error.data.is_null()) out["data"] = error.data;
  return base::to_text(json::object{{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(out)}});
}

std::string encode_answer(const json::value& id, const Answer& answer) {
  if (!answer) return encode_error(id, answer.error());
  return base::to_text(json::object{{"jsonrpc", "2.0"}, {"id", id}, {"result", *answer}});
}

std::string encode_request(std::int64_t id, std::string_view method, json::object params) {
  return base::to_text(json::object{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}});
}

std::string encode_notification(std::string_view method, json::object params) {
  return base::to_text(json::object{{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
}

std::unexpected<RpcError> refuse(Code code, std::string message, int http_status) {
  return std::unexpected(RpcError{.code = code, .message = std::move(message), .data = {}, .http_status = http_status});
}

}  // namespace mcp
