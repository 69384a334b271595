#pragma once
// The providers known by name: wire format, base URL, key.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace llm {

enum class Backend { openai_compat, anthropic, demo };
enum class Key { needed, optional };

struct ProviderRow {
  std::string_view name;
  Backend backend;
  std::string_view base_url;
  std::string_view key_variable;  // besides NAME_API_KEY
  Key key;
};

std::span<const ProviderRow> provider_table();
// By name or by a usual other spelling of it ("llama.cpp", "lm-studio"); null if unknown.
const ProviderRow* find_provider(std::string_view name);
std::string known_providers();  // "anthropic, cerebras, ..."
// The error for a name that is in no table.
base::Error unknown_provider(std::string_view name);

// Coding-agent programs, which take a model's place in a spec but are no API providers: their runs are of kind harness. The name
// under which one is recorded, from any spelling of it; "": it is none.
std::string_view harness_provider(std::string_view name);
// The model of one that names none; "": the program's own choice.
std::string_view harness_model(std::string_view provider);
std::string known_harness_providers();  // "claude, codex, ..."

}  // namespace llm
