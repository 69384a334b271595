#pragma once
// What the store's logic stands on: a queue of writes, connections that read, bells to other processes. Threads and files in
// the program (file_backend.h), virtual in the simulation (sim/). Io thread only.
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "aio/task.h"
#include "store/sqlite/group_commit.h"

namespace store::sqlite {

class WriteQueue {
 public:
  virtual ~WriteQueue() = default;

  // Runs work(db, commit) inside the next transaction; its result comes after the commit. When a batch fails it is rolled
  // back and its operations run again one by one, so `work` must be repeatable; the one that fails again throws.
  template <class Work>
  aio::Task<std::invoke_result_t<Work&, Database&, Commit&>> execute(Work work, std::size_t bytes = 0) {
    using Value = std::invoke_result_t<Work&, Database&, Commit&>;
    std::optional<Value> value;
    auto step = [&value, &work](Database& db, Commit& commit) { value.emplace(work(db, commit)); };
    co_await enqueue(step, bytes);
    co_return std::move(*value);
  }

 protected:
  // `done` is called once, whatever happens.
  virtual void submit(Operation operation) = 0;

 private:
  template <class Step>
  aio::Task<> enqueue(Step& step, std::size_t bytes) {
    auto initiate = [this, &step, bytes](auto handler) {
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      submit({.work = [&step](Database& db, Commit& commit) { step(db, commit); },
              .done = [shared](std::exception_ptr failure) { std::move (*shared)(failure); },
              .bytes = bytes});
    };
    co_await boost::asio::async_initiate<decltype(boost::asio::use_awaitable), void(std::exception_ptr)>(
        initiate, boost::asio::use_awaitable);
  }
};

class Readers {
 public:
  virtual ~Readers() = default;

  // Runs look(db) on a connection that only reads and comes back with its result.
  template <class Look>
  aio::Task<std::invoke_result_t<Look&, Database&>> read(Look look) {
    std::optional<std::invoke_result_t<Look&, Database&>> value;
    std::function<void(Database&)> step = [&value, &look](Database& db) { value.emplace(look(db)); };
    auto looking = run(std::move(step));
    co_await std::move(looking);
    co_return std::move(*value);
  }

 protected:
  virtual aio::Task<> run(std::function<void(Database&)> look) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  // Once, before all else. `committed` is called after each commit of this process that has something to tell, before the
  // results of its operations.
  virtual void listen(std::function<void(const Commit&)> committed) = 0;
  virtual WriteQueue& writes() = 0;
  virtual Readers& reads() = 0;
  // From now on this owner's lease is renewed while it holds runs.
  virtual void set_owner(OwnerNumber owner) = 0;

  // Ends after at least one ring since the last call. One task at a time.
  struct Rung {
    bool control = false, log = false;
  };
  virtual aio::Task<Rung> rung() = 0;
  // The newest block that a process has rung for.
  virtual std::int64_t last_block_rung() const = 0;

  // Ends the threads after what is queued is durable. Awaited before destruction.
  virtual aio::Task<> close() = 0;
};

}  // namespace store::sqlite
