#pragma once
// What this program is.
#include <string>
#include <string_view>

namespace cli {

inline constexpr std::string_view kVersion = OUTLAST_VERSION;
// Of the checkout that it was built from, as it was when it was configured; empty outside of one.
std::string_view commit();

// "outlast 0.1.0 (commit 1a2b3c4)".
std::string version_line();

// `outlast --version`.
int run_version(bool json);

}  // namespace cli
