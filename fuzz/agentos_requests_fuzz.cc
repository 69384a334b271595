// What clients of the AgentOS API send (forms, decisions, JSON bodies, headers), and stored lines on their way to the wire: no
// bytes may crash their readers, every refusal is JSON, and every frame is one event.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/agentos/continue_form.h"
#include "api/agentos/encoder.h"
#include "api/agentos/launch_form.h"
#include "api/agentos/meta_events.h"
#include "api/agentos/own_json.h"
#include "api/agentos/run_tools.h"
#include "api/doors.h"
#include "api/fields.h"
#include "api/json_body.h"
#include "base/json.h"
#include "base/text.h"

namespace {

class Zero final : public base::Random {
 public:
  std::uint64_t next() override { return 0; }
};

void check_refusal(const net::HttpResponse& response) {
  ASSERT(response.status >= 400 && response.status < 500);
  const auto body = base::parse_json(response.body);
  ASSERT(body && body->is_object() && body->get_object().contains("detail"));
}

api::Request request_of(std::string_view type, std::string_view body) {
  api::Request request;
  request.http.method = "POST";
  request.http.headers = {{"content-type", std::string(type)}, {"idempotency-key", std::string(body.substr(0, 600))}};
  request.http.body = body;
  return request;
}

void check_launch(const api::Request& request) {
  static const app::Agent kAgent = [] {
    app::Agent agent;
    agent.id = agent.name = "a";
    return agent;
  }();
  Zero random;
  const auto form = api::agentos::read_launch_form(request, kAgent, "/", random);
  if (!form) return check_refusal(form.error());
  ASSERT(!form->launch.spec.input.empty() && base::valid_utf8(form->launch.spec.input));
  ASSERT(base::valid_utf8(form->launch.session_name) && base::valid_utf8(form->launch.session_id));
}

void check_continue(const api::Request& request) {
  const auto form = api::agentos::read_continue_form(request);
  if (!form) return check_refusal(form.error());
  std::vector<run::ToolCall> waiting{{"c", "t", R"({"a":1.5})"}};
  if (!form->answers.empty()) waiting.push_back({form->answers.front().call_id, "t", "{}"});
  const auto made = api::agentos::decide_calls(waiting, form->answers);
  if (!made) return check_refusal(made.error());
  ASSERT(made->decisions.size() == waiting.size() || waiting[0].id == waiting[1].id);
  ASSERT(api::agentos::concerns(waiting, form->answers));
  // What was decided is logged, and its retry is known.
  const auto logged = run::decode(run::encode({1, *made}));
  ASSERT(logged);
  ASSERT(made->decisions.size() != form->answers.size() ||
         api::agentos::repeats(std::get<run::RunContinued>(logged->payload), form->answers));
}

void check_doors(std::string_view input) {
  const auto line = std::string(input.substr(0, input.find('\n')));
  const auto target = net::parse_target("/agents/a/runs/r/resume?access_token=" + line);
  if (!target) return;
  net::HttpRequest http;
  http.method = "GET";
  for (const auto* name : {"authorization", "host", "origin", "cookie"}) http.headers.push_back({name, line});
  api::ServerOptions options;
  if (const auto refused = api::refuse(options, http, *target)) check_refusal(*refused);
  options.security_key = "a key that no input has";
  const auto refused = api::refuse(options, http, *target);
  ASSERT(refused && refused->status == 401);
  api::cors_headers(options, http);
}

// A line is stored only if it was encoded, so a decoded one stands for all.
void check_line(std::string_view line) {
  const auto event = run::decode(line);
  if (!event) return;
  const api::agentos::Encoder encoder(store::Run{});
  std::string frame;
  encoder.append_frame(frame, 7, run::encode(*event));
  ASSERT(frame.starts_with("id: 7\nevent: ") && frame.ends_with(",\"event_index\":7}\n\n"));
  ASSERT(frame.find("\n\n") == frame.size() - 2);
  const auto data = frame.find("\ndata: ");
  const auto json = api::agentos::parse_own_json(std::string_view(frame).substr(data + 7, frame.size() - data - 9));
  ASSERT(json.as_object().at("event_index") == 7);
  api::agentos::RunTools tools;
  tools.take(*event);
  tools.tools();
  tools.requirements();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const auto* type : {"application/x-www-form-urlencoded", "multipart/form-data; boundary=b"}) {
    const auto request = request_of(type, input);
    check_launch(request);
    check_continue(request);
  }
  check_continue(request_of("application/x-www-form-urlencoded", "session_id=s&tools=" + std::string(input)));
  if (const auto body = api::parse_body(input); !body) check_refusal(body.error());
  check_doors(input);
  check_line(input);
  if (base::valid_utf8(input)) {
    const auto meta = api::agentos::unknown_run_event(input);
    ASSERT(meta.find("\n\n") == meta.size() - 2);
  }
  if (const auto value = api::parse_lenient_int(input)) ASSERT(api::parse_lenient_int(std::to_string(*value)) == value);
  return 0;
}
