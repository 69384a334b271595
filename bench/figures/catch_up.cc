// Catch-up: a long finished run to one client, against the same bytes as a static file. The client only drains, so that it
// costs both sides the same.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>

#include "bench/common/host.h"
#include "bench/common/http.h"
#include "bench/common/proc.h"
#include "bench/figures/figures.h"

namespace bench {

namespace {

constexpr std::size_t kReceiveBytes = 256 << 10;

// Takes the chunks of a chunked body apart.
class Dechunker {
 public:
  // The body's bytes among those that came.
  std::string feed(std::string_view bytes) {
    std::string body;
    pending_ += bytes;
    std::string_view rest = pending_;
    while (!ended_) {
      if (in_chunk_ > 0) {
        const auto piece = rest.substr(0, in_chunk_);
        body += piece;
        rest.remove_prefix(piece.size());
        in_chunk_ -= piece.size();
        if (in_chunk_ > 0) break;
        after_chunk_ = true;
      }
      if (after_chunk_) {
        if (rest.size() < 2) break;
        rest.remove_prefix(2);
        after_chunk_ = false;
      }
      const auto end = rest.find("\r\n");
      if (end == std::string_view::npos) break;
      in_chunk_ = std::stoul(std::string(rest.substr(0, end)), nullptr, 16);
      rest.remove_prefix(end + 2);
      ended_ = in_chunk_ == 0;
    }
    pending_ = std::string(rest);
    return body;
  }
  bool ended() const { return ended_; }

 private:
  std::string pending_;
  std::size_t in_chunk_ = 0;
  bool after_chunk_ = false, ended_ = false;
};

// One fetch to the end of the connection: the bytes that came.
std::size_t drain(std::uint16_t port, const std::string& target) {
  Connection connection(port);
  connection.send(get_request(target, "connection: close\r\n"));
  std::vector<char> buffer(kReceiveBytes);
  std::size_t sum = 0;
  for (;;) {
    const auto bytes = connection.receive(buffer);
    if (bytes.empty()) return sum;
    if (!sum && !bytes.starts_with("HTTP/1.1 200")) throw std::runtime_error("not served: " + std::string(bytes.substr(0, 200)));
    sum += bytes.size();
  }
}

// Where no nginx is: a thread that answers every request with the file, by sendfile.
class SendfileServer {
 public:
  explicit SendfileServer(const std::string& path)
      : file_(static_cast<int>(check(open(path.c_str(), O_RDONLY | O_CLOEXEC), path.c_str()))) {
    auto listener = listen_loopback(port_);
    thread_ = std::jthread([this, listener = std::move(listener)](const std::stop_token& stop) { serve(listener.get(), stop); });
  }
  ~SendfileServer() {
    thread_.request_stop();
    const Fd last = connect_loopback(port_);  // ends the accept
  }
  SendfileServer(const SendfileServer&) = delete;
  SendfileServer& operator=(const SendfileServer&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  void serve(int listener, const std::stop_token& stop) const {
    struct stat status{};
    check(fstat(file_.get(), &status), "fstat");
    for (;;) {
      const Fd peer(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      if (stop.stop_requested() || peer.get() < 0) return;
      std::array<char, 4096> request;
      if (recv(peer.get(), request.data(), request.size(), 0) <= 0) continue;
      const auto head = "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(status.st_size) + "\r\nconnection: close\r\n\r\n";
      if (send(peer.get(), head.data(), head.size(), MSG_NOSIGNAL | MSG_MORE) < 0) continue;
      for (off_t at = 0; at < status.st_size;)
        if (sendfile(peer.get(), file_.get(), &at, static_cast<std::size_t>(status.st_size - at)) <= 0) break;
    }
  }
  Fd file_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

struct Source {
  std::string side;
  std::uint16_t port;
  std::string target;
  std::vector<pid_t> pids;
};

void fetch_repeatedly(const Source& source, std::int64_t fetches, double events) {
  const auto cpu = cpu_ns(source.pids);
  Latencies durations;
  std::size_t bytes = 0;
  for (std::int64_t i = 0; i < fetches; ++i) {
    const auto began = now_ns();
    bytes = drain(source.port, source.target);
    durations.add(now_ns() - began);
  }
  const auto seconds = durations.percentile_us(0.5) / 1e6;
  Sample(source.side == "outlast" ? "catch_up.outlast" : "catch_up.static", source.side, static_cast<double>(bytes) / seconds)
      .with("bytes", static_cast<double>(bytes))
      .with("seconds", seconds)
      .with("events_per_second", events / seconds)
      .with("server_cpu_ms", static_cast<double>(cpu_ns(source.pids) - cpu) / 1e6 / static_cast<double>(fetches));
}

}  // namespace

void fetch_stream(const Arguments& arguments) {
  Connection connection(static_cast<std::uint16_t>(arguments.integer("port", 0)));
  connection.send(get_request(arguments.required("target"), "connection: close\r\n"));
  std::ofstream out(arguments.required("out"), std::ios::binary);
  std::vector<char> buffer(kReceiveBytes);
  std::string head;
  Dechunker dechunker;
  IdScanner scanner;
  std::int64_t wanted = 0;
  for (bool in_head = true;;) {
    auto bytes = connection.receive(buffer);
    if (bytes.empty()) break;
    if (in_head) {
      head += bytes;
      const auto end = head.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      in_head = false;
      bytes = std::string_view(head).substr(end + 4);
    }
    const auto body = dechunker.feed(bytes);
    out << body;
    scanner.feed(body, [&](std::int64_t index) {
      if (index != wanted)
        throw std::runtime_error("event " + std::to_string(index) + " came instead of " + std::to_string(wanted));
      ++wanted;
    });
  }
  if (!dechunker.ended() || !out.flush())
    throw std::runtime_error("the stream was cut after " + std::to_string(wanted) + " events: " + head.substr(0, 200));
  Sample("fetch", "outlast", static_cast<double>(wanted)).with("bytes", static_cast<double>(out.tellp()));
}

void measure_catch_up(const Arguments& arguments) {
  const Source run{"outlast", static_cast<std::uint16_t>(arguments.integer("port", 0)), arguments.required("target"),
                   parse_pids(arguments.required("pid"))};
  Source file{"nginx", static_cast<std::uint16_t>(arguments.integer("static-port", 0)), arguments.text("static-target", "/"),
              parse_pids(arguments.text("static-pids"))};
  std::optional<SendfileServer> sendfile_server;
  if (!file.port) {
    sendfile_server.emplace(arguments.required("file"));
    file.side = "sendfile";
    file.port = sendfile_server->port();
  }
  const auto fetches = arguments.integer("fetches", 10);
  const auto events = static_cast<double>(arguments.integer("events", 0));
  drain(run.port, run.target);
  drain(file.port, file.target);
  interleave(arguments.integer("repeats", 3),
             {[&] { fetch_repeatedly(run, fetches, events); }, [&] { fetch_repeatedly(file, fetches, events); }});
}

}  // namespace bench
