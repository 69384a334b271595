#include "process/child.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace process {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 10> kCauses = {"exited",       "signalled",    "cancelled",     "timeout",
                                                      "idle_timeout", "output_limit", "out_of_memory", "spawn_failed",
                                                      "terminated",   "lost"};

base::Result<json::object> object_of(std::string_view text, std::string_view what) {
  auto value = base::parse_json(text);
  if (!value || !value->is_object()) return base::fail(base::Errc::invalid_argument, std::string(what) + " is no JSON object");
  return std::move(value->get_object());
}

std::vector<std::string> texts(const json::object& object, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* array = base::array_field(object, key))
    for (const auto& item : *array)
      if (item.is_string()) out.emplace_back(item.get_string());
  return out;
}

json::array array_of(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

}  // namespace

std::string_view name(Cause cause) { return kCauses[static_cast<std::size_t>(cause)]; }

std::string encode(const ChildSpec& spec) {
  json::object out{{"argv", array_of(spec.argv)},
                   {"directory", spec.directory},
                   {"environment", array_of(spec.environment)},
                   {"inherits", array_of(spec.inherits)},
                   {"takes_input", spec.takes_input},
                   {"wall_ms", spec.wall_ms},
                   {"idle_ms", spec.idle_ms},
                   {"output_bytes_max", spec.output_bytes_max}};
  if (spec.daemonises) out["daemonises"] = true;
  if (spec.terminal) out["terminal"] = {{"rows", spec.terminal->rows}, {"columns", spec.terminal->columns}};
  return base::to_text(out);
}

base::Result<ChildSpec> decode_child_spec(std::string_view text) {
  const auto object = object_of(text, "a child's spec");
  if (!object) return std::unexpected(object.error());
  ChildSpec spec{.argv = texts(*object, "argv"),
                 .directory = base::text_or_empty(*object, "directory"),
                 .environment = texts(*object, "environment"),
                 .inherits = texts(*object, "inherits"),
                 .takes_input = base::bool_field(*object, "takes_input").value_or(false),
                 .terminal = std::nullopt,
                 .daemonises = base::bool_field(*object, "daemonises").value_or(false),
                 .wall_ms = base::int_or_zero(*object, "wall_ms"),
                 .idle_ms = base::int_or_zero(*object, "idle_ms"),
                 .output_bytes_max = base::int_or_zero(*object, "output_bytes_max")};
  if (const auto* terminal = base::object_field(*object, "terminal"))
    spec.terminal =
        Window{static_cast<int>(base::int_or_zero(*terminal, "rows")), static_cast<int>(base::int_or_zero(*terminal, "columns"))};
  if (spec.argv.empty()) return base::fail(base::Errc::invalid_argument, "a child's spec names no program");
  return spec;
}

std::string encode(const Ended& ended) {
  json::object out{{"cause", name(ended.cause)}};
  if (ended.exit_code) out["exit_code"] = *ended.exit_code;
  if (ended.signal) out["signal"] = ended.signal;
  if (!ended.message.empty()) out["message"] = ended.message;
  out["started_ms"] = ended.started_ms;
  out["ended_ms"] = ended.ended_ms;
  out["user_us"] = ended.user_us;
  out["system_us"] = ended.system_us;
  out["max_resident_kib"] = ended.max_resident_kib;
  return base::to_text(out);
}

base::Result<Ended> decode_ended(std::string_view text) {
  const auto object = object_of(text, "a child's end");
  if (!object) return std::unexpected(object.error());
  const auto cause = std::ranges::find(kCauses, base::text_or_empty(*object, "cause"));
  if (cause == kCauses.end()) return base::fail(base::Errc::invalid_argument, "a child's end names no known cause");
  Ended ended{.cause = static_cast<Cause>(cause - kCauses.begin()),
              .exit_code = std::nullopt,
              .signal = static_cast<int>(base::int_or_zero(*object, "signal")),
              .message = base::text_or_empty(*object, "message"),
              .started_ms = base::int_or_zero(*object, "started_ms"),
              .ended_ms = base::int_or_zero(*object, "ended_ms"),
              .user_us = base::int_or_zero(*object, "user_us"),
              .system_us = base::int_or_zero(*object, "system_us"),
              .max_resident_kib = base::int_or_zero(*object, "max_resident_kib")};
  if (const auto code = base::int_field(*object, "exit_code")) ended.exit_code = static_cast<int>(*code);
  return ended;
}

std::string encode(const base::ProcessIdentity& owner) {
  return base::to_text(json::object{{"pid", owner.pid}, {"start", owner.start}, {"boot_id", owner.boot_id}});
}

base::Result<base::ProcessIdentity> decode_claim(std::string_view text) {
  const auto object = object_of(text, "a child's claim");
  if (!object) return std::unexpected(object.error());
  if (base::bool_field(*object, "closed").value_or(false)) return base::fail(base::Errc::not_found, "the child is closed");
  return base::ProcessIdentity{base::int_or_zero(*object, "pid"), base::int_or_zero(*object, "start"),
                               base::text_or_empty(*object, "boot_id")};
}

}  // namespace process
