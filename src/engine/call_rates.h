#pragma once
// How often a session's tools are called, held against the limits that its app file declares. In memory: each process counts the
// calls that it makes itself, and a new one begins at nothing. Pure but for what it remembers.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "run/tool_settings.h"
#include "tool/tool.h"

namespace engine {

class CallRates {
 public:
  // Counts the call, or says in words for the model which limit it would break and when it may be made: then nothing is counted.
  std::optional<std::string> take(const std::string& session_id, const tool::Definition& tool,
                                  const std::vector<run::RateLimit>& limits, std::int64_t steady_ms);

  std::size_t counted() const { return calls_.size(); }  // limits of sessions that are remembered

 private:
  struct Calls {
    std::int64_t per_ms = 0;
    std::deque<std::int64_t> at_ms;
  };
  void forget(std::int64_t steady_ms);

  std::unordered_map<std::string, Calls> calls_;
  std::size_t forget_at_ = 1'024;
};

}  // namespace engine
