#pragma once
// Templates of hooks: `{{tool.result.task_id}}` in texts, filled from what is known of the event. Something that is missing is an
// empty text; what came from a model or a tool is text and never a template again.
#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace run {

// "tool.params.files.-1.name": a negative index counts from the end; below a `result`, `data` may be left out or said where it is
// not there. Null: missing.
const boost::json::value* find_path(const boost::json::value& facts, std::string_view path);

// A text as it is, anything else as JSON text; missing: "".
std::string text_of(const boost::json::value* value);

std::string render(std::string_view text, const boost::json::value& facts);
// The same, and what becomes of each value before it is put in is the caller's: it sees the text so far.
std::string render(std::string_view text, const boost::json::value& facts,
                   const std::function<std::string(std::string_view so_far, std::string value)>& put);
// All texts in it. A text that is one template and nothing else becomes the value itself.
boost::json::value render_all(const boost::json::value& value, const boost::json::value& facts);

// A command line in which each value is one literal piece, whatever it holds and whichever quotes it stands in.
std::string render_command(std::string_view text, const boost::json::value& facts);

}  // namespace run
