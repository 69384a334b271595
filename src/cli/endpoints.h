#pragma once
// Where a run's model is called and with which key. A run holds no key: it names the app file and the agent that it was made
// from, and whoever executes it reads the key there (ARCHITECTURE.md, "The key stays in the app file").
#include <map>
#include <string>

#include "app/definition.h"
#include "cli/file_version.h"
#include "llm/registry.h"
#include "run/spec.h"
#include "store/types.h"

namespace cli {

// Io thread.
class Endpoints {
 public:
  // `served` (may be null) is the app that this process serves: its agents' keys are for the runs that name no file.
  Endpoints(const app::App* served, llm::Environment environment) : served_(served), environment_(std::move(environment)) {}

  // Errc::unavailable: the run's app file cannot be read, or gives its agent no key for the place that the run calls. A key
  // that was found once is good until the file gives another: who edits the file does not end what is running.
  base::Result<llm::Endpoint> of(const store::Run& run, const run::Spec& spec);

 private:
  struct Secret {
    FileVersion version;
    std::string api_key;
  };
  base::Result<Secret> read(const run::Spec& spec, const FileVersion& version) const;

  const app::App* const served_;
  const llm::Environment environment_;
  std::map<std::string, Secret> known_;  // by file, agent, provider and base URL
};

// Says in a run's spec that the agent's app file gives it its key, where that is so; the same for those whom it may give work to.
void note_keys(const app::App& app, const app::Agent& agent, run::Spec& spec);

}  // namespace cli
