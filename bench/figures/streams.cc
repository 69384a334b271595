// Live streams at rest: what each costs the server in resident memory and the kernel in slab, and whether each then gets its
// events, none lost and none out of order. The runs are executed here; the server on the same home only serves them.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <future>
#include <stdexcept>

#include "bench/common/host.h"
#include "bench/common/http.h"
#include "bench/common/proc.h"
#include "bench/figures/figures.h"

namespace bench {

namespace {

constexpr std::uint32_t kEventsEach = 5;
constexpr std::size_t kOpenTogether = 128;
constexpr std::size_t kSpareFds = 200;
constexpr double kSettleSeconds = 0.7;
constexpr std::int64_t kPatienceNs = 60'000'000'000;

std::size_t raise_fd_limit() {
  rlimit limit{};
  check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  return limit.rlim_cur;
}

struct Memory {
  std::int64_t resident, slab;
};

Memory look(pid_t pid) {
  sleep_for(kSettleSeconds);
  return {resident_bytes(pid), slab_bytes()};
}

struct Stream {
  Connection connection;
  IdScanner scanner;
  std::string head;
  bool subscribed = false;
  std::int64_t next = 0;  // index of the event that must come next
};

// All the streams of a measurement, read by one thread.
class Streams {
 public:
  Streams() : poll_(static_cast<int>(check(epoll_create1(EPOLL_CLOEXEC), "epoll"))) {}

  void open(std::uint16_t port, const std::vector<LiveRun>& runs) {
    for (const auto& run : runs) {
      auto& stream = *streams_.emplace_back(std::make_unique<Stream>(Stream{Connection(port), {}, {}}));
      epoll_event event{.events = EPOLLIN, .data = {.ptr = &stream}};
      check(epoll_ctl(poll_.get(), EPOLL_CTL_ADD, stream.connection.fd(), &event), "epoll_ctl");
      stream.connection.send(get_request("/agents/" + std::string(kAgent) + "/runs/" + run.run_id + "/resume"));
      if (streams_.size() % kOpenTogether == 0) read_until_subscribed();
    }
    read_until_subscribed();
  }

  void read_until_subscribed() {
    read([this] { return subscribed_ == streams_.size(); });
  }
  void read_until(std::int64_t events) {
    read([this, events] { return events_ >= events; });
  }
  std::int64_t events() const { return events_; }
  std::size_t whole(std::int64_t next) const {
    return static_cast<std::size_t>(std::ranges::count_if(streams_, [next](const auto& stream) { return stream->next == next; }));
  }

 private:
  template <class Done>
  void read(Done done) {
    std::array<epoll_event, 256> ready;
    const auto give_up = now_ns() + kPatienceNs;
    while (!done()) {
      if (now_ns() > give_up)
        throw std::runtime_error("gave up: " + std::to_string(subscribed_) + " streams open, " + std::to_string(events_) +
                                 " events");
      const auto count = check(epoll_wait(poll_.get(), ready.data(), static_cast<int>(ready.size()), 100), "epoll_wait");
      for (const auto& event : std::span(ready).first(static_cast<std::size_t>(count)))
        take(*static_cast<Stream*>(event.data.ptr));
    }
  }

  void take(Stream& stream) {
    std::array<char, 16384> buffer;
    const auto bytes = stream.connection.receive(buffer);
    if (bytes.empty()) throw std::runtime_error("a stream was closed: " + stream.head.substr(0, 300));
    stream.scanner.feed(bytes, [&](std::int64_t index) {
      if (index != stream.next)
        throw std::runtime_error("event " + std::to_string(index) + " came instead of " + std::to_string(stream.next));
      ++stream.next;
      ++events_;
    });
    if (stream.subscribed) return;
    stream.head += bytes;
    stream.subscribed = stream.head.find("subscribed") != std::string::npos;
    if (!stream.subscribed) return;
    ++subscribed_;
    stream.head = {};
  }

  Fd poll_;
  std::vector<std::unique_ptr<Stream>> streams_;  // epoll points at them
  std::size_t subscribed_ = 0;
  std::int64_t events_ = 0;
};

aio::Task<> append_events(Host& host, LiveRun& run) {
  for (std::uint32_t i = 0; i < kEventsEach; ++i) co_await append(host, run, event_lines(1), 1);
}

// What a connection that does nothing costs the kernel, both ends of it, each in an epoll as here and in the server.
double bare_slab_per_connection(std::size_t count) {
  std::uint16_t port = 0;
  const auto listener = listen_loopback(port);
  const Fd near_poll(static_cast<int>(check(epoll_create1(EPOLL_CLOEXEC), "epoll")));
  const Fd far_poll(static_cast<int>(check(epoll_create1(EPOLL_CLOEXEC), "epoll")));
  std::vector<Fd> ends;
  ends.reserve(count * 2);
  const auto before = look(getpid());
  for (std::size_t i = 0; i < count; ++i) {
    ends.push_back(connect_loopback(port));
    ends.emplace_back(static_cast<int>(check(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept")));
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    check(epoll_ctl(near_poll.get(), EPOLL_CTL_ADD, ends[2 * i].get(), &event), "epoll_ctl");
    check(epoll_ctl(far_poll.get(), EPOLL_CTL_ADD, ends[2 * i + 1].get(), &event), "epoll_ctl");
  }
  return static_cast<double>(look(getpid()).slab - before.slab) / static_cast<double>(count);
}

}  // namespace

void measure_streams(const Arguments& arguments) {
  const auto fds = raise_fd_limit();
  const auto count = static_cast<std::size_t>(arguments.integer("count", 1000));
  if (count + kSpareFds > fds) throw std::runtime_error("the hard limit of open files is " + std::to_string(fds));
  const auto port = static_cast<std::uint16_t>(arguments.integer("port", 0));
  const auto server = static_cast<pid_t>(arguments.integer("pid", 0));
  const auto bare = bare_slab_per_connection(std::min(count, (fds - kSpareFds) / 2));
  Host host(arguments.required("home"));
  auto runs = launch_runs(host, count, "");
  const auto known = static_cast<std::int64_t>(runs.front().next);
  {
    Streams warm;  // what the first streams of a process cost once only
    warm.open(port, {runs.begin(), runs.begin() + 50});
  }
  const auto before = look(server);
  Streams streams;
  streams.open(port, runs);
  const auto resting = look(server);
  auto appending = std::async(std::launch::async, [&] { for_all(host, runs, 256, append_events); });
  const auto wanted = static_cast<std::int64_t>(count) * (known + kEventsEach);
  streams.read_until(wanted);
  appending.get();
  const auto after = look(server);
  const auto per_stream = [count](std::int64_t bytes) { return static_cast<double>(bytes) / static_cast<double>(count); };
  const auto process = per_stream(resting.resident - before.resident), slab = per_stream(resting.slab - before.slab);
  Sample("streams." + std::to_string(count), "outlast", process + slab)
      .with("process_bytes", process)
      .with("slab_bytes_of_both_ends", slab)
      .with("process_bytes_after_events", per_stream(after.resident - before.resident))
      .with("whole_streams", static_cast<double>(streams.whole(known + kEventsEach)))
      .with("streams", static_cast<double>(count));
  Sample("streams." + std::to_string(count), "base", bare);
  for_all(host, runs, 256, complete);
}

}  // namespace bench
