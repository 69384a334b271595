#include "harness/harness.h"

#include <algorithm>

#include "harness/harnesses.h"

namespace harness {

void Decoder::end(std::optional<int>, std::string_view, std::vector<Told>&) {}
std::string Decoder::answer(std::string_view, bool, std::string_view) const { return {}; }
std::string Decoder::message(std::string_view, std::string_view) const { return {}; }
std::string Decoder::interrupt(std::string_view) const { return {}; }

const std::vector<const Harness*>& all() {
  static const std::vector<const Harness*> known = {&claude(), &codex(), &gemini(), &opencode()};
  return known;
}

const Harness* find(std::string_view name) {
  const auto found = std::ranges::find_if(all(), [name](const Harness* one) { return one->name() == name; });
  return found == all().end() ? nullptr : *found;
}

std::string known_names() {
  std::string names;
  for (const auto* one : all()) names += (names.empty() ? "" : ", ") + std::string(one->name());
  return names;
}

}  // namespace harness
