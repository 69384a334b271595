#pragma once
// A process that serves the client which started it, and outlives it when there is work left. What the client knows as its child is
// a parent that only waits: it ends as soon as the client has left, however politely, while the work goes on in a session of its own.
#include <functional>

namespace cli {

// Runs `work` and gives its exit code, or 0 once `work` has called its argument: the client has left, and standard input and output
// are not its any more. Call it before there are threads. Signals to the parent, and its death, are SIGTERM to the work. On a
// terminal there is one process.
int guard_client(const std::function<int(const std::function<void()>& client_left)>& work);

}  // namespace cli
