#include "app/plan_file.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "app/file.h"
#include "app/problems.h"
#include "app/shape.h"
#include "app/yaml.h"
#include "base/json.h"
#include "base/text.h"

namespace app {

namespace json = boost::json;

namespace {

constexpr std::string_view kPolicies[] = {"stop", "skip", "run-with-error"};
constexpr Field kEdge[] = {{"op", text(), Presence::required}, {"on_failure", one_of(kPolicies)}};
constexpr Shape kEdgeShape = or_also(map_of(kEdge), kText);
constexpr Shape kEdges = or_also(list(&kEdgeShape), kText);
constexpr Shape kTexts = or_also(texts(), kText);
constexpr Field kPath[] = {{"path", text(), Presence::required}, {"id", text()}, {"description", text()}};
constexpr Shape kPathShape = or_also(map_of(kPath), kText);
constexpr Shape kPaths = or_also(list(&kPathShape), kText);
constexpr double kTimeoutSecondsMax = 999'999'999;

constexpr Field kAgent[] = {{"id", text(), Presence::required}, {"role", text()}, {"model", text()}, {"guidance", text()}};
constexpr Shape kAgentShape = map_of(kAgent);
constexpr Field kOp[] = {{"id", text(), Presence::required},
                         {"agent_id", text()},
                         {"agent", text()},
                         {"instruction", text(), Presence::required},
                         {"guidance", text()},
                         {"depends_on", kEdges},
                         {"on_failure", one_of(kPolicies)},
                         {"control", boolean()},
                         {"timeout", number(0, kTimeoutSecondsMax)},
                         {"retries", integer(0, run::kFlowRetriesMax)},
                         {"fallback", kTexts},
                         {"artifacts", kPaths}};
constexpr Shape kOpShape = map_of(kOp);
constexpr Field kPlan[] = {{"agents", list(&kAgentShape), Presence::required},
                           {"operations", list(&kOpShape), Presence::required},
                           {"synthesis", boolean()}};
constexpr Shape kPlanShape = map_of(kPlan);

constexpr Field kAssignment[] = {{"task", text(), Presence::required},
                                 {"assignee", text(), Presence::required},
                                 {"inputs", kTexts},
                                 {"exit_criteria", kTexts},
                                 {"depends_on", kEdges},
                                 {"on_failure", one_of(kPolicies)},
                                 {"modes", kTexts}};
constexpr Shape kAssignmentShape = map_of(kAssignment);
constexpr Field kAssignments[] = {
    {"assignments", list(&kAssignmentShape), Presence::required}, {"reason", text()}, {"synthesis", boolean()}};
constexpr Shape kAssignmentsShape = map_of(kAssignments);

// The tree as run::plan_of takes it. A scalar is a text wherever a text is wanted, whatever it looks like: "1.10" is a role like
// any other. Recursion is bounded by kYamlDepthMax.
json::value value_of(const Node& node, std::string_view key) {
  if (node.is_list()) {
    json::array items;
    for (const auto& item : node.items) items.push_back(value_of(item, key));
    return items;
  }
  if (node.is_map()) {
    json::object members;
    for (const auto& member : node.members) members[member.key] = value_of(member.value, member.key);
    return members;
  }
  if (node.is_null()) return nullptr;
  if (key == "control" || key == "synthesis")
    if (const auto flag = as_bool(node)) return *flag;
  if (key == "retries")
    if (const auto count = as_int(node)) return *count;
  if (key == "timeout")
    if (const auto seconds = as_number(node)) return *seconds;
  return json::value(node.text);
}

// JSON that is no YAML (an escaped surrogate pair, tabs before a line) as the same tree, without positions.
Node node_of(const json::value& value) {
  Node node;
  if (const auto* items = value.if_array()) {
    node.kind = Node::Kind::list;
    for (const auto& item : *items) node.items.push_back(node_of(item));
  } else if (const auto* members = value.if_object()) {
    node.kind = Node::Kind::map;
    for (const auto& member : *members) node.members.push_back({std::string(member.key()), {}, node_of(member.value())});
  } else if (!value.is_null()) {
    node.kind = Node::Kind::scalar;
    node.quoted = value.is_string();
    node.text = value.is_string() ? std::string(value.get_string()) : base::to_text(value);
  }
  return node;
}

std::optional<Node> read_tree(std::string_view text, Problems& problems) {
  const auto before = problems;
  auto root = parse_yaml(text, problems);
  if (root || !base::trim(text).starts_with('{')) return root;
  auto unread = before;
  const auto value = base::parse_json(check_bytes(text, unread) ? text : "");
  if (!value) return root;
  problems = before;
  return node_of(*value);
}

}  // namespace

base::Result<run::FlowPlan> parse_plan_file(std::string_view text, std::string_view file_name) {
  Problems problems{std::string(file_name)};
  const auto root = read_tree(text, problems);
  if (!root) return std::unexpected(problems.error());
  if (root->is_null())
    problems.add("", "the file is empty", root->mark, Code::empty);
  else if (!root->is_map())
    problems.add("", "must be a map", root->mark, Code::unexpected_type);
  else
    check_shape(*root, root->find("assignments") ? kAssignmentsShape : kPlanShape, "", problems);
  const auto* operations = root->find("operations");
  for (std::size_t i = 0; operations && i < operations->items.size(); ++i) {
    const auto& op = operations->items[i];
    if (op.is_map() && !op.find("agent_id") && !op.find("agent"))
      problems.add(child(child("operations", i), "agent_id"), "is required", op.mark, Code::missing);
  }
  if (!problems.empty()) return std::unexpected(problems.error());
  auto plan = run::plan_of(value_of(*root, "").get_object());
  if (!plan) return plan;
  if (plan->operations.empty()) return base::fail(base::Errc::invalid_argument, "'" + shown(file_name) + "' holds no operations");
  if (auto checked = run::check_plan(*plan); !checked) return std::unexpected(std::move(checked.error()));
  return plan;
}

base::Result<run::FlowPlan> load_plan_file(const std::string& path) {
  const auto file = read_text_file(path);
  if (!file) return std::unexpected(file.error());
  return parse_plan_file(file->text, path);
}

}  // namespace app
