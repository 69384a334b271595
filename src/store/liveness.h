#pragma once
// Who a process is, and whether another one still lives: pid + start time + boot id, so that a reused pid is never mistaken.
#include <cstdint>
#include <string>

#include "store/types.h"

namespace store {

// This process, as an owner without number and expiry.
Owner this_process();

// Whether the owner may still execute. On its own host a dead process is known at once; elsewhere its lease must expire.
bool owner_lives(const Owner& owner, const Owner& self, std::int64_t now_ms);

}  // namespace store
