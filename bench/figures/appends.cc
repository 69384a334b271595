// Durable appends of many runs at once: each run appends as soon as its last append is durable. Beside it as many clients
// of Redis Streams, and one plain file that gets what all of them bring in one synced write.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <future>
#include <stdexcept>

#include "bench/common/bare.h"
#include "bench/common/host.h"
#include "bench/common/http.h"
#include "bench/common/proc.h"
#include "bench/figures/figures.h"

namespace bench {

namespace {

struct Course {
  std::size_t runs;
  std::uint32_t events;  // per append
  double seconds;
  std::string name() const { return "appends." + std::to_string(runs) + "x" + std::to_string(events); }
};

struct Tally {
  std::uint64_t events = 0;
  std::int64_t end_ns = 0;
  Latencies latencies;
};

void print(const Course& course, std::string_view side, const Tally& tally, std::int64_t began) {
  const auto seconds = static_cast<double>(now_ns() - began) / 1e9;
  Sample(course.name(), side, static_cast<double>(tally.events) / seconds)
      .with("p50_us", tally.latencies.percentile_us(0.5))
      .with("p99_us", tally.latencies.percentile_us(0.99));
}

aio::Task<> append_until(Host& host, LiveRun& run, const std::string& lines, std::uint32_t count, Tally& tally) {
  while (now_ns() < tally.end_ns) {
    const auto began = now_ns();
    co_await append(host, run, lines, count);
    tally.latencies.add(now_ns() - began);
    tally.events += count;
  }
}

void store_appends(Host& host, std::vector<LiveRun>& runs, const Course& course) {
  const auto lines = event_lines(course.events);
  Tally tally;
  const auto began = now_ns();
  tally.end_ns = began + static_cast<std::int64_t>(course.seconds * 1e9);
  std::vector<std::future<void>> tasks;
  for (auto& run : runs)
    tasks.push_back(
        boost::asio::co_spawn(host.io, append_until(host, run, lines, course.events, tally), boost::asio::use_future));
  for (auto& task : tasks) task.wait();
  for (auto& task : tasks) task.get();
  print(course, "outlast", tally, began);
}

// One client of Redis: sends its pipeline of XADDs, waits for all the answers, sends again.
class RedisClient {
 public:
  RedisClient(std::uint16_t port, std::size_t number, const Course& course, std::string_view line)
      : connection_(port), replies_wanted_(course.events) {
    const auto key = "run:" + std::to_string(number);
    const auto bulk = [](std::string_view text) {
      return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
    };
    for (std::uint32_t i = 0; i < course.events; ++i)
      request_ += "*5\r\n" + bulk("XADD") + bulk(key) + bulk("*") + bulk("e") + bulk(line);
  }
  int fd() const { return connection_.fd(); }
  void send() {
    began_ = now_ns();
    connection_.send(request_);
  }
  // True: all answers of the pipeline are here. An answer is "$15\r\n1700000000000-0\r\n": two lines.
  bool receive(Latencies& latencies) {
    std::array<char, 16384> buffer;
    const auto bytes = connection_.receive(buffer);
    if (bytes.empty() || bytes.find('-') == 0) throw std::runtime_error("redis: " + std::string(bytes));
    lines_ += static_cast<std::size_t>(std::ranges::count(bytes, '\n'));
    if (lines_ < 2 * replies_wanted_) return false;
    lines_ = 0;
    latencies.add(now_ns() - began_);
    return true;
  }

 private:
  Connection connection_;
  std::string request_;
  std::size_t lines_ = 0, replies_wanted_;
  std::int64_t began_ = 0;
};

void flush_redis(std::uint16_t port) {
  Connection connection(port);
  connection.send("FLUSHALL\r\n");
  std::array<char, 256> buffer;
  if (!connection.receive(buffer).starts_with("+OK")) throw std::runtime_error("redis refused FLUSHALL");
}

void redis_appends(std::uint16_t port, const Course& course) {
  flush_redis(port);
  const auto line = event_lines(1);
  std::vector<RedisClient> clients;
  for (std::size_t i = 0; i < course.runs; ++i) clients.emplace_back(port, i, course, line);
  const Fd poll(static_cast<int>(check(epoll_create1(EPOLL_CLOEXEC), "epoll")));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    check(epoll_ctl(poll.get(), EPOLL_CTL_ADD, clients[i].fd(), &event), "epoll_ctl");
  }
  Tally tally;
  const auto began = now_ns();
  tally.end_ns = began + static_cast<std::int64_t>(course.seconds * 1e9);
  for (auto& client : clients) client.send();
  std::array<epoll_event, 256> ready;
  for (auto active = clients.size(); active > 0;) {
    const auto count = check(epoll_wait(poll.get(), ready.data(), static_cast<int>(ready.size()), 10'000), "epoll_wait");
    if (count == 0) throw std::runtime_error("redis did not answer");
    for (const auto& event : std::span(ready).first(static_cast<std::size_t>(count))) {
      auto& client = clients[event.data.u64];
      if (!client.receive(tally.latencies)) continue;
      tally.events += course.events;
      if (now_ns() < tally.end_ns)
        client.send();
      else
        --active;
    }
  }
  print(course, "redis", tally, began);
}

void file_appends(const std::string& path, const Course& course) {
  BareFile file(path);
  const auto bytes = event_lines(course.events * static_cast<std::uint32_t>(course.runs));
  Tally tally;
  const auto began = now_ns();
  tally.end_ns = began + static_cast<std::int64_t>(course.seconds * 1e9);
  while (now_ns() < tally.end_ns) {
    const auto start = now_ns();
    file.append_synced(bytes);
    tally.latencies.add(now_ns() - start);
    tally.events += course.events * course.runs;
  }
  print(course, "file", tally, began);
}

}  // namespace

void measure_appends(const Arguments& arguments) {
  const Course course{static_cast<std::size_t>(arguments.integer("runs", 16)),
                      static_cast<std::uint32_t>(arguments.integer("events", 1)), arguments.seconds("seconds", 1)};
  const auto dir = arguments.required("dir");
  const auto redis_port = static_cast<std::uint16_t>(arguments.integer("redis-port", 0));
  Host host(dir + "/appends-home-" + course.name());
  auto runs = launch_runs(host, course.runs, "");
  std::vector<std::function<void()>> sides = {[&] { store_appends(host, runs, course); },
                                              [&] { file_appends(dir + "/appends.file", course); }};
  if (redis_port) sides.push_back([&] { redis_appends(redis_port, course); });
  interleave(arguments.integer("repeats", 3), sides);
}

}  // namespace bench
