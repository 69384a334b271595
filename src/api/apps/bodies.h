#pragma once
// The bodies that the routes of app sessions take. Pure; what is wrong is told by field (422).
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_server.h"
#include "run/event.h"
#include "store/types.h"

namespace api::apps {

// POST .../sessions: what of a new session its client chooses.
struct NewSession {
  std::string session_id, name, user_id, agent;  // "" not given
};
std::expected<NewSession, net::HttpResponse> read_new_session(std::string_view body);

// POST .../messages
struct Message {
  std::string content;            // not empty
  std::string client_message_id;  // "" none
  std::string mode;               // part of what makes two messages the same; otherwise without effect
};
std::expected<Message, net::HttpResponse> read_message(std::string_view body);
// What makes two messages of one client_message_id the same.
std::string digest_of(const Message& message);

// POST .../approvals/{call_id}
struct Approval {
  bool approved = false;
  std::string note;    // of a rejection: what the model is told instead; the answer to a question
  std::string run_id;  // which run's call it is, where several wait with that id
};
std::expected<Approval, net::HttpResponse> read_approval(std::string_view body);

}  // namespace api::apps
