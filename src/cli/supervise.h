#pragma once
// Outlives the process that executes a detached run, and starts it again when that is killed.
#include <functional>

namespace cli {

// Runs work() in a child process and returns its exit code. A child that dies by a signal is made again, at once and then with
// growing pauses; after a bounded number of deaths the code is 128 + the signal. SIGTERM, SIGINT and SIGHUP are passed on. To be
// called before this process has threads.
int supervise(const std::function<int()>& work);

}  // namespace cli
