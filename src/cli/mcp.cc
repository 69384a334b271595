#include "cli/mcp.h"

#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <csignal>
#include <filesystem>

#include "api/mcp/stdio_session.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/client_guard.h"
#include "cli/definitions.h"
#include "cli/output.h"
#include "cli/process.h"
#include "cli/signals.h"
#include "cli/stdio_lines.h"

namespace cli {

namespace {

namespace limits = base::limits;
constexpr int kSessionDigits = 16;
constexpr std::int64_t kDayMs = 86'400'000;

class StdioSink final : public api::mcp::Sink {
 public:
  explicit StdioSink(LineWriter& out) : out_(out) {}
  aio::Task<bool> send(std::string message) override { return out_.write(std::move(message)); }
  aio::Task<> keep_alive() override { co_return; }  // a pipe does not give up

 private:
  LineWriter& out_;
};

// Signals in the order in which they come: the first says that the client has left, the second ends what it left behind.
struct Farewell {
  explicit Farewell(boost::asio::io_context& io) : heard(io) {}
  int count = 0;
  aio::Notifier heard;
  aio::Task<> wait(int number) {
    while (count < number) co_await heard.wait();
  }
};

aio::Task<> converse(LineReader& in, api::mcp::StdioSession& session) {
  for (;;) {
    co_await session.room();
    const auto line = co_await in.next(limits::kMcpMessageBytesMax);
    if (!line) co_return;
    if (line->too_long)
      session.take_too_long();
    else
      session.take(line->text);
  }
}

// The same directory is the same session, so that a client which comes back finds its tasks.
std::string session_of(const McpOptions& options, const std::string& directory) {
  if (!options.session.empty()) return options.session;
  return "mcp-" + base::sha256_hex(directory).substr(0, kSessionDigits);
}

// Until its input ends or it is said to have left; what it asked before is answered.
aio::Task<> serve_client(Process& process, api::Context& context, std::string session_id, Farewell& farewell) {
  using namespace boost::asio::experimental::awaitable_operators;
  LineReader in(process.io, process.execution->blocking, STDIN_FILENO);
  LineWriter out(process.io, process.execution->blocking, STDOUT_FILENO);
  StdioSink sink(out);
  api::mcp::StdioSession session(context, std::move(session_id), sink);
  auto conversation = converse(in, session) || farewell.wait(1);
  co_await std::move(conversation);
  auto answering = session.join() || farewell.wait(1);
  const auto first = co_await std::move(answering);
  if (first.index() == 1) session.give_up();
  co_await session.join();
}

aio::Task<int> serve(Process& process, const app::App& app, const McpOptions& options, const std::function<void()>& client_left) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto& executor = process.execution->executor;
  Farewell farewell(process.io);
  const Signals signals(process.io, [&farewell](int) {
    ++farewell.count;
    farewell.heard.notify_all();
  });
  co_await executor.start();
  engine::Housekeeping housekeeping(process.io, *process.store, process.time, process.execution->blocking,
                                    {.keep_days = process.settings.config.keep_days, .children_directory = children_directory(process.settings)});
  api::Context context{.deps = process.execution->deps,
                       .executor = executor,
                       .housekeeping = housekeeping,
                       .app = app,
                       .options = {.os_id = "outlast", .name = "Outlast", .security_key = {}, .cors_origins = {}},
                       .work_directory = work_directory_of(app)};
  // Who starts this program may run commands anyway; a server's clients may only what its owner says.
  context.options.mcp_tools = tool_names(options.tools.empty() ? "Bash,Read,Write,Edit,Glob,Grep" : options.tools);
  context.options.keep_ms = process.settings.config.keep_days.value_or(0) * kDayMs;
  co_await serve_client(process, context, session_of(options, context.work_directory), farewell);
  client_left();
  // What the client left in the background goes on here; were this process killed, any other of the home would go on with it.
  const auto asked = farewell.count + 1;
  auto rest = executor.idle() || farewell.wait(asked);
  const auto ended = co_await std::move(rest);
  co_await executor.stop(ended.index() == 1 ? limits::kDrainMs : 0);
  co_return kOk;
}

int work(const McpOptions& options, Settings settings, const app::App& app, const std::function<void()>& client_left) {
  const auto& config = settings.config;
  const auto runs_max = config.max_concurrent_runs ? static_cast<std::size_t>(*config.max_concurrent_runs) : limits::kConcurrentRunsMax;
  const auto pending_max = config.max_pending_runs ? static_cast<std::size_t>(*config.max_pending_runs) : limits::kPendingRunsMax;
  auto process = Process::open(std::move(settings));
  if (!process) return complain(kUnusable, process.error().message);
  (*process)->enable_execution(&app, {.concurrent_runs_max = runs_max, .pending_runs_max = pending_max, .adopt = true});
  return (*process)->run(serve(**process, app, options, client_left));
}

}  // namespace

std::vector<std::string> tool_names(const std::string& list) {
  std::vector<std::string> names;
  if (list == "none") return names;
  for (const auto name : base::split(list, ','))
    if (const auto trimmed = base::trim(name); !trimmed.empty()) names.emplace_back(trimmed);
  return names;
}

int run_mcp(const McpOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // the client may leave at any time
  base::log::configure(base::log::Level::warning, base::log::Format::text);
  std::error_code ec;
  if (!options.cwd.empty()) std::filesystem::current_path(options.cwd, ec);
  if (ec) return complain(kUsage, "--cwd " + options.cwd + ": " + ec.message());
  if (!options.session.empty() && !base::valid_session_id(options.session))
    return complain(kUsage, "--session must be 1-256 bytes without control characters");
  auto settings = load_settings();
  if (!settings) return complain(settings.error());
  auto app = load_definitions(options.files, settings->environment);
  if (!app) return complain(kUsage, app.error().message);
  if (app->agents.empty()) app->agents.push_back(demo_agent());
  return guard_client([&](const std::function<void()>& client_left) { return work(options, std::move(*settings), *app, client_left); });
}

}  // namespace cli
