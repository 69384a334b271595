// Launch to acknowledged: POST stream=false background=true, over one kept connection and over a fresh one each time.
#include <array>
#include <stdexcept>

#include "bench/common/bare.h"
#include "bench/common/host.h"
#include "bench/common/http.h"
#include "bench/figures/figures.h"

namespace bench {

namespace {

constexpr double kRate = 50;  // slow enough that the run before has ended: the machine is idle at each launch

struct Course {
  std::uint16_t port;
  double rate, seconds;
};

// A run that ends with its first word, so that one launch does not meet the work of the one before.
std::string launch_request(std::string_view more_headers) {
  return form_request("/agents/" + std::string(kAgent) + "/runs", "message=tokens%3D1&stream=false&background=true",
                      more_headers);
}

void check_accepted(const std::string& answer) {
  if (!answer.starts_with("HTTP/1.1 202")) throw std::runtime_error("a launch was not accepted: " + answer);
}

void over_kept_connection(const Course& course) {
  Connection connection(course.port);
  const auto request = launch_request("");
  Latencies latencies;
  Pacer pacer(course.rate);
  const auto end = now_ns() + static_cast<std::int64_t>(course.seconds * 1e9);
  while (now_ns() < end) {
    pacer.wait();
    const auto began = now_ns();
    const auto answer = connection.exchange(request);
    latencies.add(now_ns() - began);
    check_accepted(answer);
  }
  print_latencies("launch.kept_connection", "outlast", latencies);
}

void over_fresh_connections(const Course& course) {
  const auto request = launch_request("connection: close\r\n");
  Latencies latencies;
  Pacer pacer(course.rate);
  const auto end = now_ns() + static_cast<std::int64_t>(course.seconds * 1e9);
  while (now_ns() < end) {
    pacer.wait();
    const auto began = now_ns();
    Connection connection(course.port);
    const auto answer = connection.exchange(request);
    latencies.add(now_ns() - began);
    check_accepted(answer);
  }
  print_latencies("launch.fresh_connection", "outlast", latencies);
}

void bare_commits(const Course& course, BareDatabase& database) {
  const std::string row(128, 'x');
  Latencies latencies;
  Pacer pacer(course.rate);
  const auto end = now_ns() + static_cast<std::int64_t>(course.seconds * 1e9);
  while (now_ns() < end) {
    database.checkpoint_if_due();
    pacer.wait();
    const auto began = now_ns();
    database.commit_row(row);
    latencies.add(now_ns() - began);
  }
  print_latencies("launch.bare_commit", "base", latencies);
}

}  // namespace

void measure_launch(const Arguments& arguments) {
  const Course course{static_cast<std::uint16_t>(arguments.integer("port", 0)), arguments.seconds("rate", kRate),
                      arguments.seconds("seconds", 2)};
  BareDatabase database(arguments.required("dir") + "/bare.db");
  over_kept_connection({course.port, course.rate, 0.2});  // what is done once only (pages, connections of the pool) is no launch
  interleave(arguments.integer("repeats", 3), {[&] { over_kept_connection(course); }, [&] { bare_commits(course, database); },
                                               [&] { over_fresh_connections(course); }, [&] { bare_commits(course, database); }});
}

}  // namespace bench
