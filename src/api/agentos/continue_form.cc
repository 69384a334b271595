#include "api/agentos/continue_form.h"

#include <algorithm>
#include <set>

#include "api/fields.h"
#include "base/json.h"
#include "base/text.h"
#include "net/form.h"

namespace api::agentos {

namespace json = boost::json;

namespace {

net::HttpResponse bad_structure(const std::string& why) { return problem(400, "Invalid structure or content for tools: " + why); }

// A field of a tool object that must be of one type or null.
std::optional<std::string> text_field(const json::object& tool, std::string_view key, std::string& wrong) {
  const auto* value = tool.if_contains(key);
  if (!value || value->is_null()) return std::nullopt;
  if (!value->is_string()) {
    wrong = "'" + std::string(key) + "' is no text";
    return std::nullopt;
  }
  return std::string(value->get_string());
}

// The answer to a question: the filled field of user_input_schema, or `result`.
std::optional<std::string> read_input(const json::object& tool, std::string& wrong) {
  if (auto result = text_field(tool, "result", wrong)) return result;
  const auto* schema = base::array_field(tool, "user_input_schema");
  if (!schema || schema->empty() || !schema->front().is_object()) return std::nullopt;
  const auto* value = schema->front().get_object().if_contains("value");
  if (!value || value->is_null()) return std::nullopt;
  return value->is_string() ? std::string(value->get_string()) : base::to_text(*value);
}

std::expected<ToolAnswer, std::string> read_answer(const json::value& item) {
  const auto* tool = item.if_object();
  if (!tool) return std::unexpected("an item is no object");
  ToolAnswer answer;
  std::string wrong;
  answer.call_id = text_field(*tool, "tool_call_id", wrong).value_or("");
  answer.name = text_field(*tool, "tool_name", wrong);
  answer.note = text_field(*tool, "confirmation_note", wrong).value_or("");
  if (const auto* confirmed = tool->if_contains("confirmed"); confirmed && !confirmed->is_null()) {
    if (!confirmed->is_bool()) wrong = "'confirmed' is neither true nor false";
    answer.confirmed = base::bool_field(*tool, "confirmed");
  }
  if (auto given = read_input(*tool, wrong)) {
    answer.note = *std::move(given);
    if (!answer.confirmed) answer.confirmed = true;
  }
  if (const auto* arguments = tool->if_contains("tool_args"); arguments && !arguments->is_null()) answer.arguments = *arguments;
  if (answer.call_id.empty() && wrong.empty()) wrong = "an item has no 'tool_call_id'";
  if (!wrong.empty()) return std::unexpected(std::move(wrong));
  return answer;
}

// nullopt: the field holds none. An unexpected: the refusal.
std::expected<std::vector<ToolAnswer>, net::HttpResponse> read_answers(std::string_view text) {
  std::vector<ToolAnswer> answers;
  if (text.empty()) return answers;
  const auto parsed = base::parse_json(text);
  if (!parsed) return std::unexpected(problem(400, "Invalid JSON in tools field"));
  if (parsed->is_null()) return answers;
  const auto* items = parsed->if_array();
  if (!items) return std::unexpected(bad_structure("the field is no list"));
  for (const auto& item : *items) {
    auto answer = read_answer(item);
    if (!answer) return std::unexpected(bad_structure(answer.error()));
    answers.push_back(std::move(*answer));
  }
  return answers;
}

// Numbers by value: a client may send 1 for 1.0.
bool same_json(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
  if (a.is_array() && b.is_array())
    return std::ranges::equal(a.get_array(), b.get_array(), [](const auto& x, const auto& y) { return same_json(x, y); });
  if (a.is_object() && b.is_object()) {
    if (a.get_object().size() != b.get_object().size()) return false;
    return std::ranges::all_of(a.get_object(), [&b](const auto& member) {
      const auto* other = b.get_object().if_contains(member.key());
      return other && same_json(member.value(), *other);
    });
  }
  return a == b;
}

// As the client was shown them (event_fields.cc append_arguments).
json::value shown_arguments(const run::ToolCall& call) {
  auto value = base::parse_json(call.arguments.empty() ? "{}" : call.arguments);
  if (value && value->is_object()) return std::move(*value);
  return json::value(call.arguments);
}

// Why this answer cannot be about this call; "" if it can.
std::string mismatch(const run::ToolCall& call, const ToolAnswer& answer) {
  if (answer.name && *answer.name != call.name)
    return "tool call '" + call.id + "' is of tool '" + call.name + "', not '" + *answer.name + "'";
  if (answer.arguments && !same_json(*answer.arguments, shown_arguments(call)))
    return "tool call '" + call.id + "' waits with other arguments; a decision cannot change them";
  return "";
}

const run::ToolCall* find_call(const std::vector<run::ToolCall>& waiting, const std::string& id) {
  const auto at = std::ranges::find(waiting, id, &run::ToolCall::id);
  return at == waiting.end() ? nullptr : &*at;
}

net::HttpResponse refuse_answer(const std::string& call_id, const std::string& why) {
  FieldErrors errors;
  errors.other("body", "tools", call_id, "value_error", "Value error, " + why);
  return errors.response();
}

net::HttpResponse unresolved(const std::vector<run::ToolCall>& waiting) {
  std::string names;
  for (const auto& call : waiting) names += (names.empty() ? "'" : ", '") + call.name + "'";
  return problem(409, "Cannot continue run - unresolved requirements: [" + names + "]");
}

}  // namespace

std::expected<ContinueForm, net::HttpResponse> read_continue_form(const Request& request) {
  const auto form = net::parse_form(request.http.header("content-type").value_or(""), request.http.body);
  if (!form) return std::unexpected(problem(400, form.error().message));
  FieldErrors errors;
  FieldReader fields(*form, "body", errors);
  ContinueForm result;
  result.session_id = fields.text("session_id");
  result.stream = fields.boolean("stream", true);
  result.background = fields.boolean("background", false);
  for (const auto* name : {"fork", "regenerate"})
    if (fields.boolean(name, false)) result.unsupported = name;
  for (const auto* name : {"input", "additional_instructions"})
    if (!fields.text(name).empty()) result.unsupported = name;
  if (!errors.empty()) return std::unexpected(errors.response());
  auto answers = read_answers(fields.text("tools"));
  if (!answers) return std::unexpected(std::move(answers.error()));
  result.answers = std::move(*answers);
  if (const auto from = fields.text("continue_from"); !from.empty() && from != "end") {
    if (from != "last_user" && !parse_lenient_int(from))
      return std::unexpected(problem(400, "Invalid continue_from. Use 'end', 'last_user', or a numeric message index."));
    result.unsupported = "continue_from";
  }
  if (result.session_id.empty()) return std::unexpected(problem(400, "session_id is required for this action"));
  return result;
}

std::expected<run::RunContinued, net::HttpResponse> decide_calls(const std::vector<run::ToolCall>& waiting,
                                                                 const std::vector<ToolAnswer>& answers) {
  std::set<std::string> decided;
  run::RunContinued made;
  for (const auto& answer : answers) {
    const auto* call = find_call(waiting, answer.call_id);
    if (!call)
      return std::unexpected(
          refuse_answer(answer.call_id, "no tool call '" + answer.call_id + "' of this run waits for a decision"));
    if (const auto why = mismatch(*call, answer); !why.empty()) return std::unexpected(refuse_answer(answer.call_id, why));
    if (!answer.confirmed) continue;
    if (!decided.insert(answer.call_id).second)
      return std::unexpected(refuse_answer(answer.call_id, "tool call '" + answer.call_id + "' is decided twice"));
    made.decisions.push_back({.call_id = answer.call_id, .approved = *answer.confirmed, .note = answer.note});
  }
  if (made.decisions.empty() && !waiting.empty()) return std::unexpected(unresolved(waiting));
  for (const auto& call : waiting)
    if (!decided.contains(call.id))
      return std::unexpected(
          refuse_answer(call.id, "tool call '" + call.id + "' of '" + call.name + "' needs 'confirmed' true or false too"));
  return made;
}

bool repeats(const run::RunContinued& made, const std::vector<ToolAnswer>& answers) {
  if (answers.empty() || made.decisions.size() != answers.size()) return false;
  return std::ranges::all_of(answers, [&made](const ToolAnswer& answer) {
    const auto at = std::ranges::find(made.decisions, answer.call_id, &run::Decision::call_id);
    return at != made.decisions.end() && answer.confirmed == at->approved && answer.note == at->note;
  });
}

bool concerns(const std::vector<run::ToolCall>& waiting, const std::vector<ToolAnswer>& answers) {
  return std::ranges::all_of(answers, [&waiting](const ToolAnswer& a) { return find_call(waiting, a.call_id) != nullptr; });
}

}  // namespace api::agentos
