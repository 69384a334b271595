#pragma once
// Owner of spawned tasks: nothing runs detached. stop = close the entrance, cancel, join.
#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <list>
#include <string>

#include "aio/notifier.h"
#include "aio/task.h"

namespace aio {

// Io thread only. Must be joined before it is destroyed.
class TaskGroup {
 public:
  // `on_failure` gets the name of a task that ended by an exception (a cancellation is none) and its text.
  using OnFailure = std::function<void(const std::string& name, const std::string& what)>;

  TaskGroup(asio::io_context& io, OnFailure on_failure);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts the task on the io thread. After close() it is dropped unstarted and false returned.
  bool spawn(std::string name, Task<> task);
  void close() { closed_ = true; }
  // Asks every task to end (terminal cancellation).
  void cancel();
  // Waits until all tasks have ended; also for those spawned meanwhile.
  Task<> join();
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;
    asio::cancellation_signal signal;
  };
  asio::io_context& io_;
  OnFailure on_failure_;
  std::list<Entry> entries_;
  Notifier ended_;
  bool closed_ = false;
};

}  // namespace aio
