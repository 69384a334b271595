// Bytes from an MCP client must neither crash the decoder nor break what mcp/json_rpc.h and api/mcp/revision.h promise.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/mcp/revision.h"
#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "tool/background_arguments.h"

namespace {

using namespace api::mcp;

void check_id(const json::value& id) { ASSERT(id.is_null() || id.is_string() || id.is_int64() || id.is_uint64()); }

void check_message(const Message& message, std::string_view header) {
  check_id(message.id);
  ASSERT((message.kind == MessageKind::notification) == message.id.is_null());
  ASSERT(message.kind == MessageKind::response || !message.method.empty());
  ASSERT(is_stateless(message, kStateless));
  if (const auto meta = read_meta(message, VersionHeader{kStateless}); !meta) ASSERT(meta.error().http_status == 400);
  (void)read_meta(message, std::nullopt);
  (void)check_headers(message, header, header);
  (void)tool::read_background_arguments(message.params);
  // What was understood is understood again.
  const auto again = decode(encode_answer(message.id.is_null() ? json::value(1) : message.id, message.params));
  ASSERT(again.messages.size() == 1 && again.messages.front() && again.messages.front()->kind == MessageKind::response);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto decoded = decode(input);
  ASSERT(!decoded.messages.empty() && decoded.messages.size() <= base::limits::kMcpBatchMax);
  ASSERT(decoded.batch || decoded.messages.size() == 1);
  for (const auto& message : decoded.messages) {
    if (message) {
      check_message(*message, input.substr(0, input.find('\n')));
      continue;
    }
    check_id(message.error().id);
    const auto text = encode_error(message.error().id, message.error().error);
    ASSERT(text.find('\n') == std::string::npos && base::parse_json(text));
  }
  ASSERT(has_handshake(negotiate(input)));
  return 0;
}
