#pragma once
// A write to the store on behalf of a tool: a disk that takes nothing now is an answer to the model, not the end of its run.
#include <string>
#include <string_view>

#include "base/log.h"
#include "store/store.h"

namespace engine {

template <class T>
aio::Task<base::Result<T>> written(store::Answer<T> writing, std::string_view what) {
  std::string broken;
  try {
    co_return co_await std::move(writing);
  } catch (const base::Broken& error) {
    broken = error.what();
  }
  base::log::error("what a tool wrote could not be kept", {{"what", std::string(what)}, {"reason", broken}});
  co_return base::fail(base::Errc::unavailable, "it could not be written; try again later");
}

}  // namespace engine
