#pragma once
// One process as the store sees it: an io loop and the real store on a home. Nothing here waits for ever.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "store/sqlite_store.h"

namespace disk {

class Process {
 public:
  // Throws base::Broken with the message that a command would print.
  explicit Process(const std::string& home) : time(io) {
    auto opened = store::open_sqlite_store(io, time, {.home = home});
    if (!opened) throw base::Broken(opened.error().message);
    store = std::move(*opened);
  }
  ~Process() { run(store->close()); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  template <class T>
  T run(aio::Task<T> task) {
    auto future = boost::asio::co_spawn(io, std::move(task), boost::asio::use_future);
    wait_for(future);
    return future.get();
  }
  void run_all(std::vector<aio::Task<>> tasks) {
    std::vector<std::future<void>> futures;
    for (auto& task : tasks) futures.push_back(boost::asio::co_spawn(io, std::move(task), boost::asio::use_future));
    for (auto& future : futures) wait_for(future);
    for (auto& future : futures) future.get();
  }

  boost::asio::io_context io{1};
  aio::SystemTime time;
  std::unique_ptr<store::Store> store;

 private:
  template <class Future>
  void wait_for(Future& future) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    io.restart();
    while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      io.run_one_for(std::chrono::seconds(1));
      if (std::chrono::steady_clock::now() < end) continue;
      std::fputs("the store hangs\n", stderr);
      std::abort();
    }
  }
};

}  // namespace disk
