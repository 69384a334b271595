#include "run/harness_spec.h"

#include "base/json.h"
#include "base/text.h"

namespace run {

namespace json = boost::json;

namespace {

void put_text(json::object& o, std::string_view key, const std::string& value) {
  if (!value.empty()) o[key] = value;
}
void put_flag(json::object& o, std::string_view key, bool value) {
  if (value) o[key] = true;
}
void put_number(json::object& o, std::string_view key, std::int64_t value) {
  if (value) o[key] = value;
}
std::vector<std::string> texts(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* list = base::array_field(o, key))
    for (const auto& item : *list)
      if (item.is_string()) out.emplace_back(item.get_string());
  return out;
}

}  // namespace

json::object to_json(const HarnessSpec& spec) {
  json::object o{{"harness", spec.harness}};
  put_text(o, "task", spec.task);
  put_text(o, "title", spec.title);
  put_text(o, "session_id", spec.session_id);
  put_flag(o, "resumes", spec.resumes);
  put_flag(o, "background", spec.background);
  put_flag(o, "unattended", spec.unattended);
  put_flag(o, "skip_permissions", spec.skip_permissions);
  if (!spec.environment.empty()) o["environment"] = json::array(spec.environment.begin(), spec.environment.end());
  if (!spec.check.empty()) o["check"] = json::array(spec.check.begin(), spec.check.end());
  put_text(o, "repository", spec.repository);
  put_text(o, "notify", spec.notify);
  put_number(o, "start_ms", spec.limits.start_ms);
  put_number(o, "idle_ms", spec.limits.idle_ms);
  put_number(o, "after_result_ms", spec.limits.after_result_ms);
  put_number(o, "limit_wait_ms", spec.limits.limit_wait_ms);
  return o;
}

HarnessSpec read_harness_spec(const json::object& o) {
  const auto flag = [&o](std::string_view key) { return base::bool_field(o, key).value_or(false); };
  return {.harness = base::text_or_empty(o, "harness"),
          .task = base::text_or_empty(o, "task"),
          .title = base::text_or_empty(o, "title"),
          .session_id = base::text_or_empty(o, "session_id"),
          .resumes = flag("resumes"),
          .background = flag("background"),
          .unattended = flag("unattended"),
          .skip_permissions = flag("skip_permissions"),
          .environment = texts(o, "environment"),
          .check = texts(o, "check"),
          .repository = base::text_or_empty(o, "repository"),
          .notify = base::text_or_empty(o, "notify"),
          .limits = {.start_ms = base::int_or_zero(o, "start_ms"),
                     .idle_ms = base::int_or_zero(o, "idle_ms"),
                     .after_result_ms = base::int_or_zero(o, "after_result_ms"),
                     .limit_wait_ms = base::int_or_zero(o, "limit_wait_ms")}};
}

std::string harness_message_id(std::string_view run_id, std::string_view key) {
  auto hex = base::sha256_hex(std::string(run_id) + "\x1f" + std::string(key)).substr(0, 32);
  hex[12] = '8';  // RFC 9562: a UUID of the maker's own kind
  hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" + hex.substr(20);
}

}  // namespace run
