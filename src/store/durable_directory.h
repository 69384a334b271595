#pragma once
// Directories that a power cut does not take back.
#include <string>
#include <system_error>

namespace store {

// Makes the directory, its owner's alone, and those above it where they are missing; each new name is synced into its parent.
// Nothing where it is there already.
std::error_code make_durable_directory(const std::string& path);

}  // namespace store
