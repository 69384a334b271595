#pragma once
// A definition as what its runs are to do: everything of a run's spec but the message and the place. Secrets stay behind.
#include "app/definition.h"
#include "run/spec.h"

namespace app {

run::Spec spec_of(const Agent& agent);

}  // namespace app
