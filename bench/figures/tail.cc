// An append until a remote reader has it: the real store, readers, routes and server; the reader is a blocking socket on a
// thread outside of the loop, the clock is the machine's.
#include <array>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "bench/common/bare.h"
#include "bench/common/host.h"
#include "bench/common/http.h"
#include "bench/figures/figures.h"

namespace bench {

namespace {

constexpr double kRate = 500;
constexpr std::size_t kTokenEventBytes = 60;  // a word of a model, stored; its frame is some 400 bytes
constexpr std::size_t kFrameBytes = 400;

struct Course {
  double rate, seconds;
  std::size_t count() const { return static_cast<std::size_t>(rate * seconds); }
};

// When each event was handed to the store; written on the loop, read by the reader's thread.
using Published = std::vector<std::atomic<std::int64_t>>;

aio::Task<> publish(Host& host, LiveRun& run, Published& published, double rate) {
  boost::asio::steady_timer timer(host.io);
  Pacer pacer(rate);
  const auto line = event_lines(1, kTokenEventBytes);
  for (auto& at : published) {
    timer.expires_after(std::chrono::nanoseconds(pacer.next() - now_ns()));
    co_await timer.async_wait(boost::asio::use_awaitable);
    at = now_ns();
    co_await append(host, run, line, 1);
  }
}

// Reads until `published` events have come; tells `subscribed` when the stream has caught up.
void read_stream(Connection& connection, std::int64_t first, Published& published, std::promise<void>& subscribed,
                 Latencies& latencies) {
  std::array<char, 65536> buffer;
  std::string head;
  IdScanner scanner;
  auto wanted = first;
  while (wanted < first + static_cast<std::int64_t>(published.size())) {
    const auto bytes = connection.receive(buffer);
    const auto now = now_ns();
    if (bytes.empty()) throw std::runtime_error("the stream ended early: " + head);
    scanner.feed(bytes, [&](std::int64_t index) {
      if (index < first) return;
      if (index != wanted)
        throw std::runtime_error("event " + std::to_string(index) + " came instead of " + std::to_string(wanted));
      latencies.add(now - published[static_cast<std::size_t>(wanted++ - first)]);
    });
    if (head.find("subscribed") != std::string::npos) continue;
    head += bytes;
    if (head.find("subscribed") != std::string::npos) subscribed.set_value();
  }
}

void measure(const std::string& name, Host& host, std::uint16_t port, const Course& course) {
  auto run = launch_runs(host, 1, "").front();
  Published published(course.count());
  Connection connection(port);
  connection.send(get_request("/agents/" + std::string(kAgent) + "/runs/" + run.run_id + "/resume"));
  Latencies latencies;
  std::promise<void> subscribed;
  const auto first = static_cast<std::int64_t>(run.next);
  auto reading = std::async(std::launch::async, [&] { read_stream(connection, first, published, subscribed, latencies); });
  if (subscribed.get_future().wait_for(std::chrono::seconds(10)) != std::future_status::ready)
    throw std::runtime_error("the stream did not open");
  host.run(publish(host, run, published, course.rate));
  reading.get();
  host.run(complete(host, run));
  print_latencies(name, "outlast", latencies);
}

void bare_commits(BareDatabase& database, const Course& course) {
  const std::string row(kTokenEventBytes, 'x');
  Latencies latencies;
  Pacer pacer(course.rate);
  for (std::size_t i = 0; i < course.count(); ++i) {
    database.checkpoint_if_due();
    pacer.wait();
    const auto began = now_ns();
    database.commit_row(row);
    latencies.add(now_ns() - began);
  }
  print_latencies("tail.bare_commit", "base", latencies);
}

void bare_round_trips(BareEcho& echo, const Course& course) {
  const std::string frame(kFrameBytes, 'x');
  Latencies latencies;
  Pacer pacer(course.rate);
  for (std::size_t i = 0; i < course.count(); ++i) {
    pacer.wait();
    const auto began = now_ns();
    echo.round_trip(frame);
    latencies.add(now_ns() - began);
  }
  print_latencies("tail.bare_round_trip", "base", latencies);
}

}  // namespace

void measure_tail(const Arguments& arguments) {
  const Course course{arguments.seconds("rate", kRate), arguments.seconds("seconds", 2)};
  const auto dir = arguments.required("dir");
  const auto remote_port = static_cast<std::uint16_t>(arguments.integer("port", 0));
  Host host(dir + "/tail-home");
  const auto own_port = host.serve();
  std::optional<Host> other_writer;
  if (remote_port) other_writer.emplace(arguments.required("home"));
  BareDatabase database(dir + "/bare.db");
  BareEcho echo;
  std::vector<std::function<void()>> sides = {[&] { measure("tail.one_process", host, own_port, course); },
                                              [&] { bare_commits(database, course); }, [&] { bare_round_trips(echo, course); }};
  if (remote_port) sides.push_back([&] { measure("tail.two_processes", *other_writer, remote_port, course); });
  interleave(arguments.integer("repeats", 3), sides);
}

}  // namespace bench
