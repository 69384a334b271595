#pragma once
// What a projection keeps current for one run: its files as a function of its log. Agents and flows have different ones.
#include <functional>
#include <memory>
#include <string>

#include "engine/projection_files.h"
#include "run/message.h"
#include "store/types.h"

namespace engine {

class ProjectedFiles {
 public:
  // File work, for a thread where it may block; it may throw, and is done again then. Null: there is none.
  using Work = std::function<void()>;

  virtual ~ProjectedFiles() = default;
  // All on the io thread. Work that was asked for has been done, or given up, before the next call.
  virtual std::uint64_t next_index() const = 0;
  virtual bool ended() const = 0;
  virtual void add(std::uint64_t index, const run::Event& event) = 0;
  virtual Work begin(std::int64_t now_ms) = 0;
  virtual Work write(std::int64_t now_ms) = 0;                              // what was added since
  virtual Work finish(const store::Run& row, std::int64_t now_ms) = 0;  // nothing is added any more; as the run is now
};

// `process`: that executes the run. `past`: the conversation before it.
std::unique_ptr<ProjectedFiles> agent_files(const std::string& runs_directory, store::Run run, run::Spec spec, store::Owner process,
                                            std::vector<run::Message> past);
std::unique_ptr<ProjectedFiles> flow_files(const std::string& runs_directory, store::Run run, run::Spec spec, store::Owner process);

}  // namespace engine
