#pragma once
// The shapes of an app file's sections: the key names of Digitorn's app schema (docs/app-files.md says which have an effect).
#include "app/shape.h"

namespace app {

extern const Shape kAppFileShape;  // the document
extern const Shape kRuntimeShape;
extern const Shape kAgentShape;
extern const Shape kBrainShape;
extern const Shape kCapabilitiesShape;
extern const Shape kHookShape;
extern const Shape kContextShape;  // of the model's context window
extern const Shape kGrantShape;
extern const Shape kSecurityShape;
extern const Shape kUiShape;
extern const Shape kFlowShape;
extern const Shape kSectionsShape;  // `context:`

}  // namespace app
