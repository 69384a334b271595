#pragma once
// Small parts of request bodies that the writers share.
#include <string>
#include <string_view>

#include "run/message.h"

namespace llm {

// `,"key":` and then the caller writes the value.
void append_key(std::string& out, std::string_view key);
void append_number(std::string& out, double value);
// The arguments of a call as a JSON object, for providers parse them: verbatim if they are one, else wrapped, so that a
// model's slip in an earlier turn does not make every later request of the conversation invalid.
std::string arguments_object(const run::ToolCall& call);
// The tool's schema, or the schema of no arguments.
std::string_view schema_or_empty(std::string_view schema);

}  // namespace llm
