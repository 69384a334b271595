#pragma once
// `args` of a playbook: what may be said of them, and which of it does not fit.
#include <vector>

#include "app/playbook.h"
#include "app/shape.h"

namespace app {

extern const Shape kPlaybookArgsShape;

// Of a node that check_shape has seen; null: none.
std::vector<PlaybookArg> read_playbook_args(const Node* node, Problems& problems);

}  // namespace app
