#include "api/apps/bodies.h"

#include "api/fields.h"
#include "api/json_body.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

namespace api::apps {

namespace json = boost::json;
namespace limits = base::limits;

namespace {

const json::value* find(const json::object& body, std::string_view field) {
  const auto* value = body.if_contains(field);
  return value && !value->is_null() ? value : nullptr;
}

// A person's words; "" where there are none. What is refused is not sent back.
std::string read_text(const json::object& body, std::string_view field, FieldErrors& errors) {
  const auto* value = find(body, field);
  if (!value) return {};
  if (!value->is_string()) {
    errors.bad_type(field, nullptr, "string_type", "Input should be a valid string");
    return {};
  }
  const std::string_view said = value->get_string();
  if (said.size() <= limits::kMessageBytesMax) return std::string(said);
  errors.other("body", field, "", "string_too_long",
               "String should have at most " + std::to_string(limits::kMessageBytesMax) + " bytes");
  return {};
}

// What the user says, under any of the three names; two that differ are no message.
std::string read_content(const json::object& body, FieldErrors& errors) {
  std::string content;
  for (const auto* field : {"content", "text", "message"}) {
    const auto said = read_text(body, field, errors);
    if (!content.empty() && !said.empty() && said != content)
      errors.other("body", field, "", "value_error",
                   "Value error, give the message once: content, text and message mean the same");
    if (content.empty()) content = said;
  }
  if (content.empty() && errors.empty()) errors.missing("body", "content");
  return content;
}

void refuse_attachments(const json::object& body, FieldErrors& errors) {
  const auto* value = find(body, "attachments");
  if (!value) return;
  if (!value->is_array())
    errors.bad_type("attachments", nullptr, "list_type", "Input should be a valid list");
  else if (!value->get_array().empty())
    errors.other("body", "attachments", "", "value_error",
                 "Value error, this app takes no attachments: leave them out, or put their text into content");
}

}  // namespace

std::expected<NewSession, net::HttpResponse> read_new_session(std::string_view text) {
  const auto body = parse_body(text);
  if (!body) return std::unexpected(body.error());
  FieldErrors errors;
  BodyReader fields(*body, errors);
  NewSession wanted{.session_id = fields.text("session_id").value_or(""),
                    .name = fields.text("name").value_or(""),
                    .user_id = fields.text("user_id").value_or(""),
                    .agent = fields.text("agent").value_or("")};
  if (!wanted.session_id.empty() && !base::valid_session_id(wanted.session_id))
    errors.other("body", "session_id", wanted.session_id, "string_pattern_mismatch",
                 "String should be 1-256 bytes of UTF-8 without control characters");
  if (!errors.empty()) return std::unexpected(errors.response());
  return wanted;
}

std::expected<Message, net::HttpResponse> read_message(std::string_view text) {
  const auto body = parse_body(text);
  if (!body) return std::unexpected(body.error());
  FieldErrors errors;
  Message message{.content = read_content(*body, errors), .client_message_id = {}, .mode = {}};
  BodyReader fields(*body, errors);
  message.client_message_id = fields.text("client_message_id").value_or("");
  message.mode = fields.text("mode").value_or("");
  if (message.client_message_id.size() > limits::kClientMessageIdBytesMax)
    errors.other("body", "client_message_id", "", "string_too_long",
                 "String should have at most " + std::to_string(limits::kClientMessageIdBytesMax) + " bytes");
  refuse_attachments(*body, errors);
  if (!errors.empty()) return std::unexpected(errors.response());
  return message;
}

std::string digest_of(const Message& message) {
  return base::sha256_hex(std::to_string(message.content.size()) + '\0' + message.content + '\0' + message.mode);
}

std::expected<Approval, net::HttpResponse> read_approval(std::string_view text) {
  const auto body = parse_body(text);
  if (!body) return std::unexpected(body.error());
  FieldErrors errors;
  BodyReader fields(*body, errors);
  Approval approval{.approved = false, .note = read_text(*body, "note", errors), .run_id = fields.text("run_id").value_or("")};
  const auto answer = read_text(*body, "answer", errors);
  if (!answer.empty()) approval.note = answer;
  const auto* said = find(*body, "approved");
  auto word = said && said->is_string() ? parse_bool(said->get_string()) : base::bool_field(*body, "approved");
  if (!said && !answer.empty()) word = true;
  if (!said && !word)
    errors.missing("body", "approved");
  else if (!word)
    errors.bad_type("approved", *said, "bool_type", "Input should be true or false");
  approval.approved = word.value_or(false);
  if (!errors.empty()) return std::unexpected(errors.response());
  return approval;
}

}  // namespace api::apps
