#pragma once
// Ids: run ids sort by time and cannot be guessed; session ids are UUIDs (version 4).
#include <string>
#include <string_view>

#include "base/clock.h"

namespace base {

std::string new_run_id(const Clock& clock, Random& random);  // YYYYMMDDTHHMMSS-<12 hex>
std::string new_uuid(Random& random);
std::string hex(Random& random, int digits);

// A run id that a caller chose: 1-64 of A-Za-z0-9._- and usable as a directory name.
bool valid_run_id(std::string_view id);
// A session id that a caller chose: 1-256 bytes of UTF-8 without control characters.
bool valid_session_id(std::string_view id);

}  // namespace base
