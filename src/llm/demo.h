#pragma once
// demo/NAME: the offline provider. It plays scripts (docs/demo-provider.md), deterministic and honest about being scripted,
// with a provider's bad days included: its errors, stalls and cuts take the same paths as real ones.
#include <deque>
#include <map>
#include <string>
#include <unordered_map>

#include "aio/time.h"
#include "base/limits.h"
#include "llm/demo_script.h"
#include "llm/provider.h"

namespace llm {

struct DemoOptions {
  std::string script_directory;            // NAME.yaml is looked up here before the built-in scripts; may be empty
  std::optional<std::int64_t> timeout_ms;  // the whole call
  std::int64_t idle_ms = base::limits::kIdleMs;
};

// What outlasts one call: the built-in scripts, parsed once each, and the attempts made at each turn of a conversation (the
// oldest are forgotten). Io thread only.
class DemoMemory {
 public:
  // Null if there is no built-in script of that name.
  const DemoScript* built_in(const std::string& name);
  // How often the key was asked for before.
  std::int64_t next_attempt(const std::string& key);

 private:
  std::map<std::string, DemoScript> built_in_;
  std::unordered_map<std::string, std::int64_t> attempts_;
  std::deque<std::string> attempt_order_;
};

class DemoProvider final : public Provider {
 public:
  // `time` and `memory` must outlive the provider.
  DemoProvider(aio::Time& time, DemoMemory& memory, DemoOptions options)
      : time_(time), memory_(memory), options_(std::move(options)) {}
  aio::Task<std::expected<ModelResult, ModelError>> call(const ModelRequest& request, DeltaSink& sink) override;

 private:
  struct Play;
  using Step = std::expected<void, ModelError>;
  std::expected<DemoTurn, ModelError> turn_for(const ModelRequest& request, std::size_t turn_index) const;
  std::expected<DemoScript, ModelError> script(const std::string& name) const;
  std::string unknown_script(const std::string& name) const;
  std::int64_t next_attempt(const std::string& key);

  aio::Task<Step> thoughts(Play& play);
  aio::Task<Step> text(Play& play);
  std::int64_t due_ms(const Play& play) const;
  bool must_wait(const Play& play) const;
  // Waits until the next delta is due.
  aio::Task<Step> pace(Play& play);
  aio::Task<Step> stall(Play& play);
  // Lets the sink and all other tasks of the loop catch up.
  aio::Task<Step> breathe(Play& play);
  aio::Task<Step> sleep_until(Play& play, std::int64_t due_ms);

  aio::Time& time_;
  DemoMemory& memory_;
  DemoOptions options_;
};

}  // namespace llm
