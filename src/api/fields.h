#pragma once
// Form and query values as AgentOS coerces them (docs/formats/agentos.md): an empty value is an absent one.
#include <cstdint>
#include <optional>
#include <string_view>

#include "api/problem.h"
#include "net/form.h"

namespace api {

// `true 1 yes on t y` and their opposites in any case; nothing for all else.
std::optional<bool> parse_bool(std::string_view text);
// `7 -7 +1 01 1_0 1.0`, spaces around; beyond 64 bits it is clamped. Nothing for all else (`1.5`, `1e0`, `0x1`).
std::optional<std::int64_t> parse_lenient_int(std::string_view text);

// Reads fields of one place ("body" or "query") and collects what is wrong with them.
class FieldReader {
 public:
  FieldReader(const net::Form& form, std::string_view where, FieldErrors& errors) : form_(form), where_(where), errors_(errors) {}

  std::string text(std::string_view field) const;           // "" when absent
  std::string required(std::string_view field);
  bool boolean(std::string_view field, bool otherwise);
  std::optional<std::int64_t> integer(std::string_view field);
  std::int64_t at_least(std::string_view field, std::int64_t minimum, std::int64_t otherwise);

 private:
  const net::Form& form_;
  std::string_view where_;
  FieldErrors& errors_;
};

}  // namespace api
