#pragma once
// What a hook does when it fires (docs/hooks.md "Actions").
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>

#include "engine/deps.h"
#include "run/hook.h"
#include "store/types.h"

namespace engine {

// What hooks change about the event that fired them.
struct HookVerdict {
  std::optional<std::string> blocked = {};         // tool_start: the call is not made, for this reason
  std::optional<boost::json::object> params = {};  // tool_start: what it is made with instead
  std::optional<std::string> result = {};          // tool_end: what the model is told instead
  struct Words {
    std::string hook, text;
    bool as_user = false;
  };
  std::vector<Words> words = {};  // to be told to the model
  bool compact = false;           // the conversation is to be shortened
};

// One firing: everything that an action needs.
struct HookFiring {
  Deps& deps;
  const store::Run& run;
  const run::Spec& spec;
  run::HookEvent on;
  std::string hook;     // its id
  std::string call_id;  // of the tool calls that it makes, within the run
  boost::json::value facts;
  std::shared_ptr<const tool::Toolbox> tools;
  std::shared_ptr<const bool> handing_over;  // what is cut then goes on elsewhere
};

// Whether the event waits for the action: it changes what happens next.
bool holds_the_loop(const boost::json::object& action);
// Whether doing it again after a crash could do harm: it calls a tool that may be called but once.
bool at_most_once(const boost::json::object& action, const tool::Toolbox& tools);

// Does it. "": it worked; else why not. Throws for a broken world and when cancelled. All references outlive the task.
aio::Task<std::string> perform_action(const boost::json::object& action, HookFiring& firing, HookVerdict& verdict);

}  // namespace engine
