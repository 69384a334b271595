#pragma once
// The messages and revisions that both sides of the protocol share (src/mcp), under their own names here.
#include "mcp/json_rpc.h"
#include "mcp/revision.h"

namespace api::mcp {

using namespace ::mcp;

}  // namespace api::mcp
