#include "api/agentos/launch_form.h"

#include <algorithm>
#include <tuple>

#include "api/fields.h"
#include "app/spec_of.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "run/recovery.h"

namespace api::agentos {

namespace limits = base::limits;

namespace {

// What makes two requests the same one: everything that shapes the run, not how its answer is delivered.
std::string digest_of(const net::Form& form, const std::string& component) {
  auto sorted = form;
  std::ranges::sort(sorted, {}, [](const net::FormField& f) { return std::tie(f.name, f.value); });
  std::string text = component;
  for (const auto& field : sorted) {
    if (field.value.empty() || field.name == "stream" || field.name == "background" || field.name == "stream_events") continue;
    text += '\0' + field.name + '\0' + std::to_string(field.value.size()) + '\0' + field.value;
  }
  return base::sha256_hex(text);
}

std::string first_words(const std::string& message) { return std::string(base::utf8_prefix(message, 200)); }

void check_ids(const engine::LaunchRequest& launch, FieldErrors& errors) {
  if (!launch.run_id.empty() && !base::valid_run_id(launch.run_id))
    errors.other("body", "run_id", launch.run_id, "string_pattern_mismatch", "String should be 1-64 of A-Z a-z 0-9 . _ -");
  if (!launch.session_id.empty() && !base::valid_session_id(launch.session_id))
    errors.other("body", "session_id", launch.session_id, "string_pattern_mismatch",
                 "String should be 1-256 bytes of UTF-8 without control characters");
  if (launch.user_id.size() > limits::kNameBytesMax || !base::valid_utf8(launch.user_id))
    errors.other("body", "user_id", launch.user_id, "string_too_long", "String should be at most 1024 bytes of UTF-8");
}

// Fields that are JSON text. What is no JSON is dropped, as AgentOS does; what would be lost without a word is refused.
void check_json_fields(const FieldReader& fields, FieldErrors& errors, std::optional<net::HttpResponse>& refusal) {
  if (const auto metadata = base::parse_json(fields.text("metadata")); metadata && !metadata->is_null() && !metadata->is_object())
    refusal = problem(400, "Invalid metadata parameter: expected a JSON object");
  for (const auto* name : {"images", "audio", "videos", "input_files"}) {
    const auto text = fields.text(name);
    const auto media = base::parse_json(text);
    if (!media || media->is_null()) continue;
    if (!media->is_array())
      errors.other("body", name, text, "list_type", "Input should be a valid list");
    else if (!media->get_array().empty())
      refusal = problem(400, "Unsupported file type: this agent takes no " + std::string(name));
  }
}

}  // namespace

std::expected<LaunchForm, net::HttpResponse> read_launch_form(const Request& request, const app::Agent& agent,
                                                              const std::string& work_directory, base::Random& random) {
  const auto parsed = net::parse_form(request.http.header("content-type").value_or(""), request.http.body);
  if (!parsed) return std::unexpected(problem(400, parsed.error().message));
  const auto& form = *parsed;
  FieldErrors errors;
  FieldReader fields(form, "body", errors);
  LaunchForm result;
  auto& launch = result.launch;
  auto message = fields.required("message");
  result.stream = fields.boolean("stream", true);
  launch.session_id = fields.text("session_id");
  launch.user_id = fields.text("user_id");
  result.background = fields.boolean("background", false);
  result.stream_events = fields.boolean("stream_events", true);
  launch.run_id = fields.text("run_id");
  const auto timeout_s = fields.at_least("timeout_seconds", 1, 0);
  const auto recovery = fields.text("recovery");
  const auto policy = recovery.empty() ? run::Recovery::resume : run::parse_recovery(recovery);
  if (!policy)
    errors.other("body", "recovery", recovery, "enum", "Input should be 'resume', 'retry', 'ask', 'fail' or 'continue-with-partial'");
  const auto key = request.http.header("idempotency-key").value_or("");
  // The key is the user's own: another user's same key is another key.
  if (!key.empty()) launch.launch_key = std::string(key);
  std::optional<net::HttpResponse> refusal;
  check_json_fields(fields, errors, refusal);
  if (!base::valid_utf8(message)) errors.other("body", "message", "", "string_unicode", "Input should be valid UTF-8");
  check_ids(launch, errors);
  if (!errors.empty()) return std::unexpected(errors.response());
  if (launch.launch_key.size() > limits::kLaunchKeyBytesMax)
    return std::unexpected(problem(422, "Idempotency-Key must be at most 512 characters"));
  if (refusal) return std::unexpected(std::move(*refusal));
  const auto has_file = [](const net::FormField& f) { return !f.filename.empty() && !f.value.empty(); };
  if (std::ranges::any_of(form, has_file))
    return std::unexpected(problem(400, "Unsupported file type: this agent takes no files"));

  if (!launch.launch_key.empty()) launch.launch_key = launch.user_id + '\x1f' + launch.launch_key;
  launch.request_digest = digest_of(form, agent.id);
  launch.component_id = agent.id;
  launch.component_name = agent.name;
  launch.session_name = first_words(message);
  if (launch.session_id.empty()) launch.session_id = base::new_uuid(random);
  launch.spec = app::spec_of(agent);
  launch.spec.input = std::move(message);
  launch.spec.work_directory = work_directory;
  if (!recovery.empty()) launch.spec.recovery = *policy;
  if (timeout_s > 0) launch.spec.limits.timeout_ms = std::min<std::int64_t>(timeout_s, 1LL << 40) * 1000;
  return result;
}

}  // namespace api::agentos
