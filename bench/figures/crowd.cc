// Several processes commit to one home flat out, one event at a time: the store's queue of writers against SQLite's own
// waiting (busy timeout) on a file of the same pragmas.
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>

#include "bench/common/bare.h"
#include "bench/common/host.h"
#include "bench/common/proc.h"
#include "bench/figures/figures.h"

namespace bench {

namespace {

constexpr std::int64_t kStartInNs = 1'500'000'000;  // until all children are there
constexpr int kBusyMs = 10'000;                     // as the store's connections wait below their own queue

aio::Task<> commit_until(Host& host, LiveRun& run, std::int64_t end_ns, Latencies& latencies) {
  const auto line = event_lines(1);
  while (now_ns() < end_ns) {
    const auto began = now_ns();
    co_await append(host, run, line, 1);
    latencies.add(now_ns() - began);
  }
}

void store_commits(const Arguments& arguments, std::int64_t start_ns, std::int64_t end_ns, Latencies& latencies) {
  Host host(arguments.required("home"));
  auto run = launch_runs(host, 1, "").front();
  sleep_until(start_ns);
  host.run(commit_until(host, run, end_ns, latencies));
}

void bare_commits(const Arguments& arguments, std::int64_t start_ns, std::int64_t end_ns, Latencies& latencies) {
  BareDatabase database(arguments.required("home") + "/bare.db");
  database.leave_to_sqlite(kBusyMs);
  const auto line = event_lines(1);
  sleep_until(start_ns);
  while (now_ns() < end_ns) {
    const auto began = now_ns();
    database.commit_row(line);
    latencies.add(now_ns() - began);
  }
}

struct Child {
  pid_t pid;
  Fd out;
};

Child start_child(const std::string& side, const std::string& home, std::int64_t start_ns, std::int64_t end_ns) {
  std::array<int, 2> pipe_ends{};
  check(pipe2(pipe_ends.data(), O_CLOEXEC), "pipe");
  Fd read_end(pipe_ends[0]);
  const Fd write_end(pipe_ends[1]);
  const auto pid = start({"/proc/self/exe", "crowd_child", "--side", side, "--home", home, "--start-ns", std::to_string(start_ns),
                          "--end-ns", std::to_string(end_ns)},
                         {}, write_end.get());
  return {pid, std::move(read_end)};
}

// The three numbers of the child's line.
struct Result {
  double count = 0, p50_us = 0, p99_us = 0, max_us = 0;
};

Result result_of(const Child& child) {
  std::string text;
  std::array<char, 256> buffer;
  for (;;) {
    const auto got = check(read(child.out.get(), buffer.data(), buffer.size()), "read");
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  Result result;
  if (wait_for_exit(child.pid).code != 0 ||
      std::sscanf(text.c_str(), "%lf %lf %lf %lf", &result.count, &result.p50_us, &result.p99_us, &result.max_us) != 4)
    throw std::runtime_error("a child failed: " + text);
  return result;
}

void crowd(const std::string& side, const std::string& home, std::int64_t processes, double seconds) {
  const auto start_ns = now_ns() + kStartInNs, end_ns = start_ns + static_cast<std::int64_t>(seconds * 1e9);
  std::vector<Child> children;
  for (std::int64_t i = 0; i < processes; ++i) children.push_back(start_child(side, home, start_ns, end_ns));
  std::vector<Result> results;
  for (const auto& child : children) results.push_back(result_of(child));
  double sum = 0;
  for (const auto& result : results) sum += result.count;
  const auto [fewest, most] = std::ranges::minmax(results, {}, &Result::count);
  const auto [quickest, slowest] = std::ranges::minmax(results, {}, &Result::p50_us);
  Sample("crowd." + std::to_string(processes), side, sum / seconds)
      .with("p50_us", slowest.p50_us)
      .with("worst_p99_us", std::ranges::max(results, {}, &Result::p99_us).p99_us)
      .with("longest_us", std::ranges::max(results, {}, &Result::max_us).max_us)
      .with("fewest", fewest.count)
      .with("most", most.count);
}

}  // namespace

void crowd_child(const Arguments& arguments) {
  const auto start_ns = arguments.integer("start-ns", 0), end_ns = arguments.integer("end-ns", 0);
  Latencies latencies;
  if (arguments.required("side") == "outlast")
    store_commits(arguments, start_ns, end_ns, latencies);
  else
    bare_commits(arguments, start_ns, end_ns, latencies);
  std::printf("%zu %f %f %f\n", latencies.count(), latencies.percentile_us(0.5), latencies.percentile_us(0.99),
              latencies.percentile_us(1));
}

void measure_crowd(const Arguments& arguments) {
  const auto home = arguments.required("dir") + "/crowd-home";
  const auto processes = arguments.integer("processes", 8);
  const auto seconds = arguments.seconds("seconds", 3);
  {
    const Host makes_the_home(home);
  }
  {
    BareDatabase makes_the_table(home + "/bare.db");
  }
  interleave(arguments.integer("repeats", 1),
             {[&] { crowd("outlast", home, processes, seconds); }, [&] { crowd("busy", home, processes, seconds); }});
}

}  // namespace bench
