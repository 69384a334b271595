#include "cli/crash_check.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <filesystem>

#include "aio/time.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/output.h"
#include "net/sse.h"
#include "net/http_client.h"

namespace cli {

namespace json = boost::json;

namespace {

using std::chrono::milliseconds;

constexpr int kTokens = 100;
constexpr std::size_t kSeenBeforeTheKill = 30;
constexpr std::int64_t kWholeMs = 60'000, kStartMs = 20'000, kLookMs = 10, kConnectMs = 2'000;
constexpr const char* kRuns = "/agents/demo/runs";
constexpr const char* kLongRun = "message=tokens%3D100+rate%3D50&background=true&session_id=crash-test";
constexpr const char* kEndlessRun = "message=tokens%3D5000+rate%3D50&background=true&stream=false&session_id=crash-test";

// A home that goes with all that is in it.
class TemporaryHome {
 public:
  TemporaryHome() {
    auto path = (std::filesystem::temp_directory_path() / "outlast-crash-test-XXXXXX").string();
    if (!mkdtemp(path.data())) throw base::Broken("no temporary directory can be made; set TMPDIR to a writable one");
    path_ = path;
  }
  ~TemporaryHome() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
  }
  TemporaryHome(const TemporaryHome&) = delete;
  TemporaryHome& operator=(const TemporaryHome&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::uint16_t free_port(boost::asio::io_context& io) {
  using boost::asio::ip::tcp;
  return tcp::acceptor(io, {boost::asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
}

// This program as a server, in a process of its own that does not outlive the object.
class Server {
 public:
  Server(std::string home, std::uint16_t port) : home_(std::move(home)), port_(std::to_string(port)) {}
  ~Server() { kill9(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + port_ + path; }
  pid_t pid() const { return pid_; }

  void start() {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    std::vector<std::string> words = {"outlast", "serve", "--port", port_, "--log-level", "error"};
    auto variables = environment();
    const auto argv = pointers(words), envp = pointers(variables);
    const int failed = posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(), envp.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed) throw base::Broken("the server cannot be started: " + std::string(std::strerror(failed)));
  }

  void kill9() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  // The user's own, without what would change this server: a home, a key, an armed failpoint.
  std::vector<std::string> environment() const {
    std::vector<std::string> variables = {"OUTLAST_HOME=" + home_};
    for (char** at = environ; *at; ++at)
      if (const std::string_view v = *at; !v.starts_with("OUTLAST_") && !v.starts_with("OS_SECURITY_KEY="))
        variables.emplace_back(v);
    return variables;
  }

  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
  }

  std::string home_, port_;
  pid_t pid_ = -1;
};

// What a client has seen of one run, and what was wrong with it.
struct Log {
  std::vector<std::string> events;
  bool gapless = true, unchanged = true;

  // Events that come again must be the bytes that they were.
  void add(std::string_view data) {
    const auto parsed = base::parse_json(data);
    const auto* object = parsed ? parsed->if_object() : nullptr;
    const auto index = object ? base::int_field(*object, "event_index") : std::nullopt;
    if (!index) return;  // about the stream, not of the run
    const auto at = static_cast<std::size_t>(*index);
    if (at < events.size())
      unchanged = unchanged && events[at] == data;
    else if (at == events.size())
      events.emplace_back(data);
    else
      gapless = false;
  }

  std::string last(std::string_view key) const {
    if (events.empty()) return "";
    const auto parsed = base::parse_json(events.back());
    return parsed && parsed->is_object() ? base::text_or_empty(parsed->get_object(), key) : "";
  }
};

struct Findings {
  std::size_t events = 0, seen_before = 0;
  std::int64_t ready_ms = 0;  // from the new server's start to the next event at the client
  bool gapless = false, unchanged = false, complete = false, same_run_by_key = false, cancel_held = false;
  bool ok() const { return gapless && unchanged && complete && same_run_by_key && cancel_held; }
};

class CrashCheck {
 public:
  explicit CrashCheck(boost::asio::io_context& io) : time_(io), http_(io), server_(home_.path(), free_port(io)) {}

  // Broken when it takes too long or the server cannot be used.
  aio::Task<Findings> run() {
    using namespace boost::asio::experimental::awaitable_operators;
    Findings findings;
    auto either = play(findings) || time_.sleep(milliseconds(kWholeMs));
    const auto first = co_await std::move(either);
    if (first.index() == 1) throw base::Broken("it did not end within " + std::to_string(kWholeMs / 1000) + " s");
    co_return findings;
  }

 private:
  aio::Task<> play(Findings& findings) {
    note("a server of its own on " + server_.url("") + ", home " + home_.path());
    co_await start();
    co_await outlast_a_kill(findings);
    co_await bind_a_cancel(findings);
  }

  aio::Task<> outlast_a_kill(Findings& findings) {
    Log log;
    co_await stream(kRuns, kLongRun, log, kSeenBeforeTheKill);
    const auto run_id = log.last("run_id");
    if (run_id.empty()) throw base::Broken("the run did not start");
    findings.seen_before = log.events.size();
    note("run " + run_id + ": " + std::to_string(log.events.size()) + " events are seen; kill -9 " +
         std::to_string(server_.pid()));
    server_.kill9();
    const auto began = time_.steady_ms();
    co_await start();
    const auto path = std::string(kRuns) + "/" + run_id + "/resume";
    const auto after = "last_event_index=" + std::to_string(log.events.size() - 1);
    co_await stream(path, after, log, log.events.size() + 1);
    findings.ready_ms = time_.steady_ms() - began;
    note("a new server has taken the run over; the next event came " + std::to_string(findings.ready_ms) + " ms after its start");
    co_await stream(path, after, log, SIZE_MAX);
    co_await stream(path, "", log, SIZE_MAX);  // all of it once more
    findings.events = log.events.size();
    findings.gapless = log.gapless;
    findings.unchanged = log.unchanged;
    findings.complete = log.last("event") == "RunCompleted" && log.last("content") == whole_text();
    const auto again = co_await ask("POST", kRuns, std::string(kLongRun) + "&stream=false");
    findings.same_run_by_key = base::text_or_empty(again, "run_id") == run_id;
    note("the run has ended: " + std::to_string(findings.events) + " events, " + (log.gapless ? "gapless" : "WITH GAPS") + ", " +
         (log.unchanged ? "unchanged" : "CHANGED") + "; launched again with its key it is " +
         (findings.same_run_by_key ? "the same run" : "ANOTHER RUN"));
  }

  aio::Task<> bind_a_cancel(Findings& findings) {
    const auto run = co_await ask("POST", kRuns, kEndlessRun);
    const auto path = std::string(kRuns) + "/" + base::text_or_empty(run, "run_id");
    const auto answer = co_await ask("POST", path + "/cancel", "");
    const auto word = base::text_or_empty(answer, "cancel");
    server_.kill9();
    note("another run: its cancel was answered '" + word + "', and the server killed at once");
    co_await start();
    const auto end = co_await ask("GET", path + "?session_id=crash-test&wait=20", "");
    const auto status = base::text_or_empty(end, "status");
    findings.cancel_held = word == "accepted" && status == "CANCELLED";
    note("after the restart that run is " + status);
  }

  aio::Task<> start() {
    server_.start();
    for (const auto end = time_.steady_ms() + kStartMs; time_.steady_ms() < end;) {
      const auto exchange =
          http_.start({.method = "GET", .url = server_.url("/health"), .headers = {}, .body = {}, .connect_ms = kConnectMs});
      if (const auto head = co_await exchange->head(); head && head->status == 200) co_return;
      co_await time_.sleep(milliseconds(kLookMs));
    }
    throw base::Broken("the server does not answer");
  }

  // The events of a stream, until it ends or `log` holds `enough`.
  aio::Task<> stream(std::string path, std::string form, Log& log, std::size_t enough) {
    const auto exchange = send("POST", path, std::move(form));
    if (const auto head = co_await exchange->head(); !head || head->status != 200)
      throw base::Broken("the server refused " + path);
    net::SseParser parser;
    for (;;) {
      const auto bytes = co_await exchange->read();
      if (!bytes || bytes->empty()) co_return;
      parser.feed(*bytes);
      while (const auto event = parser.next()) {
        log.add(event->data);
        if (log.events.size() >= enough) co_return;
      }
    }
  }

  aio::Task<json::object> ask(std::string method, std::string path, std::string form) {
    const auto exchange = send(std::move(method), path, std::move(form));
    const auto head = co_await exchange->head();
    std::string body;
    while (head) {
      const auto bytes = co_await exchange->read();
      if (!bytes || bytes->empty()) break;
      body += *bytes;
    }
    auto parsed = base::parse_json(body);
    if (!head || head->status >= 300 || !parsed || !parsed->is_object())
      throw base::Broken("the server refused " + path + ": " + body);
    co_return std::move(parsed->get_object());
  }

  std::unique_ptr<net::HttpExchange> send(std::string method, const std::string& path, std::string form) {
    net::HttpCall call{
        .method = std::move(method), .url = server_.url(path), .headers = {}, .body = std::move(form), .connect_ms = kConnectMs};
    call.headers.push_back({"content-type", "application/x-www-form-urlencoded"});
    if (call.body.starts_with(kLongRun)) call.headers.push_back({"idempotency-key", "crash-test"});
    return http_.start(std::move(call));
  }

  static std::string whole_text() {
    std::string text;
    for (int i = 0; i < kTokens; ++i) text += "w" + std::to_string(i) + " ";
    return text;
  }

  aio::SystemTime time_;
  net::HttpClient http_;
  TemporaryHome home_;
  Server server_;
};

void print(const Findings& found, bool as_json) {
  if (as_json)
    return put_line(base::to_text(json::object{{"ok", found.ok()},
                                               {"events", found.events},
                                               {"seen_before_the_kill", found.seen_before},
                                               {"gapless", found.gapless},
                                               {"unchanged", found.unchanged},
                                               {"complete", found.complete},
                                               {"same_run_by_key", found.same_run_by_key},
                                               {"cancel_held", found.cancel_held},
                                               {"next_event_ms", found.ready_ms}}));
  put_line(std::string("crash test: ") + (found.ok() ? "everything held" : "SOMETHING WAS LOST, this is a bug") + " (" +
           std::to_string(found.events) + " events, " + std::to_string(found.seen_before) + " seen before kill -9; next event " +
           std::to_string(found.ready_ms) + " ms after the new start; cancel " + (found.cancel_held ? "held" : "LOST") + ")");
}

}  // namespace

int run_crash_check(bool json) {
  boost::asio::io_context io{1};
  CrashCheck test(io);
  Findings findings;
  std::string broken;
  boost::asio::co_spawn(io, test.run(), [&](const std::exception_ptr& failure, Findings found) {
    findings = found;
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      broken = error.what();
    }
  });
  io.run();
  if (!broken.empty()) return complain(kFailed, "the crash test could not be played: " + broken);
  print(findings, json);
  return findings.ok() ? kOk : kFailed;
}

}  // namespace cli
