// Markdown profiles from anywhere: no crash, no hang, and every refusal says why.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/profile.h"
#include "base/error.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto agent = app::parse_profile(text, "fuzz.md", "fuzz");
  if (agent) {
    ASSERT(agent->id == "fuzz" && !agent->name.empty());
    ASSERT(base::valid_utf8(agent->system_prompt));
    ASSERT(agent->brain.provider.empty() == agent->brain.model.empty());
  } else {
    ASSERT(!agent.error().message.empty() && base::valid_utf8(agent.error().message));
  }
  return 0;
}
