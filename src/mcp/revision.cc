#include "mcp/revision.h"

#include <algorithm>

namespace mcp {

namespace {
constexpr std::string_view kVersions[] = {kStateless, kWithTasks, "2025-06-18", kWithBatches, "2024-11-05"};
}

boost::json::array supported_versions() {
  boost::json::array all;
  for (const auto version : kVersions) all.emplace_back(version);
  return all;
}

bool has_handshake(std::string_view version) {
  return version != kStateless && std::ranges::find(kVersions, version) != std::end(kVersions);
}

std::string_view negotiate(std::string_view wanted) {
  const auto known = std::ranges::find(kVersions, wanted);
  return has_handshake(wanted) ? *known : kWithTasks;
}

}  // namespace mcp
