// Playbooks from anywhere: no crash, no hang, every refusal says why, and no artifact leaves its directory.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/playbook.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  app::Problems problems{"fuzz"};
  const auto playbook = app::read_playbook(text, "fuzz.playbook.yaml", problems);
  ASSERT(playbook.has_value() == problems.empty());
  if (!playbook) {
    ASSERT(base::valid_utf8(problems.error().message));
    return 0;
  }
  ASSERT(playbook->name == "fuzz" && playbook->workers >= 0 && playbook->workers <= base::limits::kPlaybookWorkersMax);
  ASSERT(playbook->max_ops >= 0 && playbook->max_ops <= base::limits::kPlaybookOpsMax);
  for (const auto& artifact : playbook->artifacts_expected) {
    ASSERT(!artifact.path.starts_with('/'));
    for (const auto part : base::split(artifact.path, '/')) ASSERT(part != "..");
  }
  const auto filled = app::filled_prompt(*playbook, {{"a", "1"}}, "input {a}");
  ASSERT(filled ? base::valid_utf8(*filled) : base::valid_utf8(filled.error().message));
  return 0;
}
