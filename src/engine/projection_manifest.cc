#include "engine/projection_manifest.h"

#include <cmath>
#include <cstdio>

#include "base/json.h"
#include "llm/model_spec.h"
#include "run/status.h"

namespace engine {

namespace json = boost::json;

namespace {

json::value seconds(std::int64_t wall_ms) {
  if (!wall_ms) return nullptr;
  return static_cast<double>(wall_ms) / 1000.0;
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

json::array text_array(const std::vector<std::string>& texts) {
  json::array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

// Endpoint name: the wire format where one is set, else the provider's word.
const std::string& endpoint_name(const run::Spec& spec) { return spec.backend.empty() ? spec.provider : spec.backend; }

// What is said of every run, be it the directory's own or one that joined.
void tell_run(json::object& entry, const ManifestChange& change) {
  const auto& [run, spec, process, directory, command, flow] = change;
  const auto outcome = outcome_of(run.status, run.reason);
  entry["status"] = outcome.word;
  entry["reason"] = text_or_null(run.reason);
  entry["exit_code"] = outcome.exit_code ? json::value(*outcome.exit_code) : json::value();
  entry["started_at"] = seconds(run.created_ms);
  entry["ended_at"] = seconds(run.ended_ms);
  if (!command.empty() || !entry.contains("command")) entry["command"] = text_array(command);
  entry["cwd"] = spec.work_directory;
  // Another process may complete the files of an ended run; the one that executed it stays named.
  if (!entry.contains("pid") || base::int_field(entry, "attempt") != run.epoch) {
    entry["host"] = process.host.substr(0, process.host.find('/'));
    entry["pid"] = process.pid;
    entry["pid_start_time"] = process.pid_start;
    entry["boot_id"] = process.boot_id;
    entry["attempt"] = run.epoch;
  }
  entry["agent"] = run.component_name;
  entry["model"] = spec.model;
  entry["provider"] = spec.provider;
  entry["endpoint"] = endpoint_name(spec);
  entry["model_spec"] = model_spec_of(spec);
  entry["prompt"] = spec.input;
  for (const auto& [key, value] : flow)
    if (key != "branches") entry[key] = value;
}

// The object of `array` whose `key` is `value`, made at its end if it is not there.
json::object& entry_of(json::object& manifest, std::string_view list, std::string_view key, const std::string& value) {
  auto& slot = manifest[list];
  if (!slot.is_array()) slot.emplace_array();
  auto& array = slot.get_array();
  for (auto& item : array)
    if (auto* object = item.if_object(); object && base::string_field(*object, key) == value) return *object;
  auto& made = array.emplace_back(json::object{}).get_object();
  made[key] = value;
  return made;
}

bool tells_later_state(const json::object& entry, const store::Run& run) {
  const auto attempt = base::int_field(entry, "attempt").value_or(0);
  if (attempt != run.epoch) return attempt > run.epoch;
  const auto* ended = entry.if_contains("ended_at");
  return ended && ended->is_number() && !run::is_terminal(run.status);
}

void append_indented(std::string& out, const json::value& value, std::size_t depth) {
  const auto line = [&out](std::size_t levels) {
    out += '\n';
    out.append(2 * levels, ' ');
  };
  if (const auto* object = value.if_object(); object && !object->empty()) {
    out += '{';
    for (auto at = object->begin(); at != object->end(); ++at) {
      if (at != object->begin()) out += ',';
      line(depth + 1);
      base::append_json_string(out, at->key());
      out += ": ";
      append_indented(out, at->value(), depth + 1);
    }
    line(depth);
    out += '}';
  } else if (const auto* array = value.if_array(); array && !array->empty()) {
    out += '[';
    for (auto at = array->begin(); at != array->end(); ++at) {
      if (at != array->begin()) out += ',';
      line(depth + 1);
      append_indented(out, *at, depth + 1);
    }
    line(depth);
    out += ']';
  } else if (const auto* number = value.if_double()) {
    char text[32];
    // Times: seconds and milliseconds, not 1.7E9. And money, whose millionths count.
    std::snprintf(text, sizeof text, std::abs(*number) < 1e6 && *number * 1000 != std::floor(*number * 1000) ? "%.6f" : "%.3f", *number);
    out += text;
  } else {
    out += base::to_text(value);
  }
}

}  // namespace

Outcome outcome_of(run::Status status, std::string_view reason) {
  switch (status) {
    case run::Status::pending: return {"pending", std::nullopt};
    case run::Status::running: return {"running", std::nullopt};
    case run::Status::paused: return {"paused", std::nullopt};
    case run::Status::completed:
      return reason.starts_with("run.completed_empty") ? Outcome{"completed_empty", 1} : Outcome{"completed", 0};
    case run::Status::error: return reason.starts_with("run.timed_out") ? Outcome{"timed_out", 124} : Outcome{"failed", 1};
    case run::Status::cancelled: return {"cancelled", 143};
  }
  return {"failed", 1};
}

std::string model_spec_of(const run::Spec& spec) {
  return llm::ModelSpec{.provider = spec.provider, .model = spec.model, .effort = spec.effort}.text();
}

std::optional<json::object> changed_manifest(json::object manifest, const ManifestChange& change) {
  const auto& run = change.run;
  const bool joined = run.run_id != run.group_id;
  if (!manifest.contains("run_id")) {
    manifest["run_id"] = run.group_id;
    manifest["kind"] = run.kind;
    manifest["status"] = joined ? json::value() : json::value("running");
    manifest["state_root"] = change.directory;
    manifest["artifact_root"] = change.directory + "/artifacts";
  }
  if (!joined && tells_later_state(manifest, run)) return std::nullopt;
  if (joined) {
    auto& entry = entry_of(manifest, "invocations", "run_id", run.run_id);
    if (tells_later_state(entry, run)) return std::nullopt;
    entry["kind"] = run.kind;
    entry["branch_id"] = run.session_id;
    tell_run(entry, change);
  } else {
    tell_run(manifest, change);
  }
  if (const auto* branches = base::array_field(change.flow, "branches"))
    for (const auto& told : *branches)
      if (const auto* one = told.if_object())
        for (auto& known = entry_of(manifest, "branches", "id", base::text_or_empty(*one, "id")); const auto& [key, value] : *one) known[key] = value;
  if (!change.flow.empty()) return manifest;
  auto& branch = entry_of(manifest, "branches", "id", run.session_id);
  branch["provider"] = change.spec.provider;
  branch["endpoint"] = endpoint_name(change.spec);
  branch["name"] = run.component_name;
  branch["model"] = change.spec.model;
  branch["run_id"] = run.run_id;
  return manifest;
}

std::string indented(const json::value& value) {
  std::string out;
  append_indented(out, value, 0);
  out += '\n';
  return out;
}

}  // namespace engine
