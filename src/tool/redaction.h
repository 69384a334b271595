#pragma once
// Takes secrets out of what a model is shown of a command's output: tokens of well-known shapes, private keys, passwords that are
// assigned, and what an app's own patterns match. A net against accidents: what a command writes in another form passes it.
// Linear time, pure.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tool {

// A piece of a text that may not be shown, [from, to).
struct Secret {
  std::size_t from = 0, to = 0;
};

class Redactor {
 public:
  // Patterns that are none are left out; check_sensitive_pattern says so earlier.
  explicit Redactor(const std::vector<std::string>& patterns);
  ~Redactor();
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;

  // In order, without overlap. Any thread.
  std::vector<Secret> find(std::string_view text) const;

  std::string redact(std::string_view text) const;

 private:
  struct Patterns;
  std::unique_ptr<const Patterns> own_;
};

// The piece [from, to) of a text whose secrets are known; one that reaches into it counts as a whole.
std::string redacted_piece(std::string_view text, const std::vector<Secret>& secrets, std::size_t from, std::size_t to);

// Errc::invalid_argument: why it is no pattern, or one that would match nothing at all everywhere.
base::Result<> check_sensitive_pattern(const std::string& pattern);

}  // namespace tool
