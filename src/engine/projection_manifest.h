#pragma once
// run.json, the manifest of a run directory: what it says after a run has moved on. Pure; docs/formats/run-directory.md is
// the contract.
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "run/spec.h"
#include "store/types.h"

namespace engine {

// A run's state in the words of the command line: "running", "completed", "completed_empty", "failed", "timed_out",
// "cancelled" ..., and the exit code of a command whose run ended so; none while it has not ended.
struct Outcome {
  std::string_view word;
  std::optional<int> exit_code;
};
Outcome outcome_of(run::Status status, std::string_view reason);

// "provider/model[-effort]".
std::string model_spec_of(const run::Spec& spec);

// One run as it is now, to be told in the manifest of its group's directory.
struct ManifestChange {
  store::Run run;
  run::Spec spec;
  store::Owner process;              // that executes it (or launches it)
  std::string directory;             // of the group, absolute
  std::vector<std::string> command;  // of the launch; empty: what the manifest says already stays
  boost::json::object flow = {};     // of a flow: what it says of its parts; `branches` are added to those that are there
};

// The manifest after the change. A run that has joined another's directory (run_id is not group_id) gets an entry of its own in
// `invocations` and `branches`; the rest is the other run's. Nothing: the manifest already tells a later state of the run.
std::optional<boost::json::object> changed_manifest(boost::json::object manifest, const ManifestChange& change);

// JSON text with an indent of two spaces and a newline at its end; fractions with three digits.
std::string indented(const boost::json::value& value);

}  // namespace engine
