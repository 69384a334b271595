// Homes as other measurements need them: full of finished runs, or with runs that were cut off.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "bench/common/host.h"
#include "bench/figures/figures.h"

namespace bench {

namespace {

constexpr std::size_t kTogether = 256;

aio::Task<> finish(Host& host, LiveRun& run) {
  co_await append(host, run, event_lines(2), 2);
  co_await complete(host, run);
}

aio::Task<> half_an_answer(Host& host, LiveRun& run) { co_await append(host, run, event_lines(3), 3); }

}  // namespace

void fill_home(const Arguments& arguments) {
  Host host(arguments.required("home"));
  auto runs = launch_runs(host, static_cast<std::size_t>(arguments.integer("count", 20'000)), "bench");
  for_all(host, runs, kTogether, finish);
}

void interrupt_runs(const Arguments& arguments) {
  Host host(arguments.required("home"));
  auto runs = launch_runs(host, static_cast<std::size_t>(arguments.integer("count", 1000)), arguments.text("input", "tokens=3"));
  for_all(host, runs, kTogether, half_an_answer);
  _exit(0);  // without giving the leases back: to others this process was killed
}

}  // namespace bench
