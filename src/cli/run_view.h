#pragma once
// What a terminal shows of a run while it goes on, and in the end: a conversation, or a flow.
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "cli/flow_stream.h"
#include "cli/follow.h"
#include "run/spec.h"

namespace cli {

class RunView {
 public:
  virtual ~RunView() = default;
  virtual void add(std::uint64_t index, const run::Event& event) = 0;
  virtual std::uint64_t next_index() const = 0;
  virtual run::Status status() const = 0;
  // Some time has passed: what shows times may show them anew.
  virtual void tick(std::int64_t /*now_ms*/) {}
  // Runs below it that have begun since the last time, where they are to be shown too.
  virtual std::vector<BegunRun> begun() { return {}; }
  // Runs below it that are at work, which a person may have to decide something for; and those that wait for that.
  virtual std::unordered_set<std::string> at_work() const { return {}; }
  virtual void wait_for_decisions(const std::vector<store::Run>& /*paused*/) {}
  // A line on stderr between what is shown.
  virtual void aside(std::string_view line) = 0;
  // After the last event: the result, unless the person has left before it was there.
  virtual void finish(bool has_result) = 0;
  // The same as one object.
  virtual boost::json::object result(const store::Run& run) const = 0;
  // What went wrong, and how to go on; where hints are wanted.
  virtual void conclude(const store::Run& run) = 0;
};

std::unique_ptr<RunView> agent_view(const store::Run& run, const run::Spec& spec, const FollowOptions& options);
std::unique_ptr<RunView> flow_view(const store::Run& run, run::Spec spec, const FollowOptions& options);

}  // namespace cli
