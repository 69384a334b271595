// App files and config.yaml from anywhere: no crash, no hang, and every refusal says why.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/config.h"
#include "app/definition.h"
#include "base/error.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "A") return "value {{env.B}}";
    return std::nullopt;
  };
  const auto app = app::parse_app(text, "fuzz.yaml", environment);
  if (app) {
    ASSERT(!app->app_id.empty());
    ASSERT(app->work_directory.empty() || app->work_directory.starts_with('/'));
    for (const auto& agent : app->agents) {
      ASSERT(!agent.id.empty() && agent.id.size() <= 128);
      for (const auto& grant : agent.tools) ASSERT(grant.gate != app::Gate::deny);
    }
    for (const auto& warning : app->warnings) ASSERT(base::valid_utf8(warning));
  } else {
    ASSERT(!app.error().message.empty() && base::valid_utf8(app.error().message));
  }
  const auto config = app::parse_config(text, "config.yaml", 0644);
  ASSERT(config || (!config.error().message.empty() && base::valid_utf8(config.error().message)));
  return 0;
}
