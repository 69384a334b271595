#pragma once
// What a session's model is to be told before its next call, in the documented words.
#include <vector>

#include "engine/deps.h"
#include "run/agent.h"

namespace engine {

struct News {
  std::vector<std::pair<std::int64_t, run::Notice>> notices;  // not told yet, oldest first, at most a bounded number
  store::Page<run::MemoryEntry> memory;                       // what was asked for of it
};

// What a model call is to be told. A notice whose task is gone is told as such. A task whose process has ended while nobody
// watched (a crash) and whose run has not is waited for, for a moment.
aio::Task<News> look_for_news(Deps& deps, const store::Run& run, std::optional<store::MemoryFilter> memory);

}  // namespace engine
