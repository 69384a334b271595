#include "run/flow_spec.h"

#include "base/json.h"

namespace run {

namespace json = boost::json;

namespace {

std::vector<std::string> texts(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* list = base::array_field(o, key))
    for (const auto& item : *list)
      if (item.is_string()) out.emplace_back(item.get_string());
  return out;
}

}  // namespace

json::object to_json(const FlowSpec& spec) {
  json::object o;
  const auto flag = [&o](std::string_view key, bool value) {
    if (value) o[key] = true;
  };
  const auto number = [&o](std::string_view key, std::int64_t value) {
    if (value) o[key] = value;
  };
  const auto text = [&o](std::string_view key, const std::string& value) {
    if (!value.empty()) o[key] = value;
  };
  flag("fanout", spec.fanout);
  if (spec.plan) o["plan"] = to_json(*spec.plan);
  if (!spec.carried.empty()) {
    json::array carried;
    for (const auto& one : spec.carried) carried.push_back(fields_of(one));
    o["carried"] = std::move(carried);
  }
  text("resumed_run", spec.resumed_run);
  number("ops_max", spec.ops_max);
  number("concurrent_max", spec.concurrent_max);
  number("workers", spec.workers);
  if (!spec.worker_models.empty()) o["worker_models"] = json::array(spec.worker_models.begin(), spec.worker_models.end());
  flag("bare", spec.bare);
  flag("dry_run", spec.dry_run);
  flag("synthesis", spec.synthesis);
  text("synthesis_model", spec.synthesis_model);
  text("synthesis_prompt", spec.synthesis_prompt);
  text("directory", spec.directory);
  flag("saved", spec.saved);
  if (!spec.roles.empty()) {
    json::array roles;
    for (const auto& role : spec.roles) roles.push_back(json::object{{"name", role.name}, {"model", role.model}, {"spec", role.spec}});
    o["roles"] = std::move(roles);
  }
  if (!spec.expected.empty()) o["expected"] = json::array(spec.expected.begin(), spec.expected.end());
  text("graph", spec.graph);
  text("team", spec.team);
  flag("team_attached", spec.team_attached);
  text("team_name", spec.team_name);
  text("notify", spec.notify);
  text("invocation", spec.invocation);
  text("project", spec.project);
  return o;
}

FlowSpec flow_spec_of(const json::object& o) {
  const auto flag = [&o](std::string_view key) { return base::bool_field(o, key).value_or(false); };
  FlowSpec spec{.fanout = flag("fanout"),
                .resumed_run = base::text_or_empty(o, "resumed_run"),
                .ops_max = base::int_or_zero(o, "ops_max"),
                .concurrent_max = base::int_or_zero(o, "concurrent_max"),
                .workers = base::int_or_zero(o, "workers"),
                .worker_models = texts(o, "worker_models"),
                .bare = flag("bare"),
                .dry_run = flag("dry_run"),
                .synthesis = flag("synthesis"),
                .synthesis_model = base::text_or_empty(o, "synthesis_model"),
                .synthesis_prompt = base::text_or_empty(o, "synthesis_prompt"),
                .directory = base::text_or_empty(o, "directory"),
                .saved = flag("saved"),
                .graph = base::text_or_empty(o, "graph"),
                .expected = texts(o, "expected"),
                .team = base::text_or_empty(o, "team"),
                .team_name = base::text_or_empty(o, "team_name"),
                .team_attached = flag("team_attached"),
                .notify = base::text_or_empty(o, "notify"),
                .invocation = base::text_or_empty(o, "invocation"),
                .project = base::text_or_empty(o, "project")};
  if (const auto* plan = base::object_field(o, "plan"))
    if (auto read = plan_of(*plan)) spec.plan = std::move(*read);
  if (const auto* carried = base::array_field(o, "carried"))
    for (const auto& one : *carried)
      if (const auto* fields = one.if_object()) spec.carried.push_back(read_op_ended(*fields));
  if (const auto* roles = base::array_field(o, "roles"))
    for (const auto& one : *roles)
      if (const auto* role = one.if_object())
        spec.roles.push_back({base::text_or_empty(*role, "name"), base::text_or_empty(*role, "model"), base::text_or_empty(*role, "spec")});
  return spec;
}

}  // namespace run
