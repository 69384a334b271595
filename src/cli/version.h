#pragma once
// What this program is.
#include <string>
#include <string_view>

namespace cli {

inline constexpr std::string_view kVersion = OUTLAST_VERSION;
#ifdef OUTLAST_COMMIT
inline constexpr std::string_view kCommit = OUTLAST_COMMIT;
#else
inline constexpr std::string_view kCommit = "";  // built outside a checkout
#endif

// "outlast 0.1.0 (commit 1a2b3c4)".
std::string version_line();

// `outlast --version`.
int run_version(bool json);

}  // namespace cli
