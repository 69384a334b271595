// One run of many events from the in-process scripted model, through the log, to one client; against a bare loop that syncs
// as many lines to a plain file and sends as many frames, a batch at a time.
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <thread>

#include "bench/common/bare.h"
#include "bench/common/host.h"
#include "bench/common/http.h"
#include "bench/common/proc.h"
#include "bench/figures/figures.h"

namespace bench {

namespace {

constexpr std::size_t kReceiveBytes = 256 << 10;
constexpr std::int64_t kBareBatch = 256;
constexpr std::size_t kLineBytes = 60, kFrameBytes = 400;  // as the scripted model's words become

void stream_one(std::uint16_t port, std::int64_t tokens, const std::vector<pid_t>& pids) {
  Connection connection(port);
  const auto form = "message=tokens%3D" + std::to_string(tokens) + "+rate%3D0&stream=true&background=true";
  std::vector<char> buffer(kReceiveBytes);
  IdScanner scanner;
  std::int64_t events = 0;
  std::size_t bytes_read = 0;
  const auto cpu = cpu_ns(pids);
  const auto began = now_ns();
  connection.send(form_request("/agents/" + std::string(kAgent) + "/runs", form, "connection: close\r\n"));
  for (auto bytes = connection.receive(buffer); !bytes.empty(); bytes = connection.receive(buffer)) {
    bytes_read += bytes.size();
    scanner.feed(bytes, [&](std::int64_t index) {
      if (index != events)
        throw std::runtime_error("event " + std::to_string(index) + " came instead of " + std::to_string(events));
      ++events;
    });
  }
  const auto seconds = static_cast<double>(now_ns() - began) / 1e9;
  if (events < tokens) throw std::runtime_error("the stream ended after " + std::to_string(events) + " events");
  Sample("one_stream", "outlast", static_cast<double>(events) / seconds)
      .with("seconds", seconds)
      .with("bytes", static_cast<double>(bytes_read))
      .with("server_cpu_us_per_event", static_cast<double>(cpu_ns(pids) - cpu) / 1e3 / static_cast<double>(events));
}

void bare_stream(const std::string& dir, std::int64_t tokens) {
  std::uint16_t port = 0;
  const auto listener = listen_loopback(port);
  const auto lines = event_lines(kBareBatch, kLineBytes);
  const std::string frames(kBareBatch * kFrameBytes, 'x');
  std::jthread server([&] {
    const Fd peer(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    BareFile file(dir + "/one-stream.file");
    for (std::int64_t sent = 0; sent < tokens; sent += kBareBatch) {
      file.append_synced(lines);
      for (std::string_view rest = frames; !rest.empty();)
        rest.remove_prefix(static_cast<std::size_t>(check(send(peer.get(), rest.data(), rest.size(), MSG_NOSIGNAL), "send")));
    }
  });
  const auto began = now_ns();
  Connection connection(port);
  std::vector<char> buffer(kReceiveBytes);
  while (!connection.receive(buffer).empty()) {
  }
  Sample("one_stream", "base", static_cast<double>(tokens) * 1e9 / static_cast<double>(now_ns() - began));
}

}  // namespace

void measure_one_stream(const Arguments& arguments) {
  const auto port = static_cast<std::uint16_t>(arguments.integer("port", 0));
  const auto pids = parse_pids(arguments.required("pid"));
  const auto tokens = arguments.integer("tokens", 100'000);
  const auto dir = arguments.required("dir");
  interleave(arguments.integer("repeats", 3), {[&] { stream_one(port, tokens, pids); }, [&] { bare_stream(dir, tokens); }});
}

}  // namespace bench
