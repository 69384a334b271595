#include "cli/logs.h"

#include <csignal>

#include "base/clock.h"
#include "cli/event_text.h"
#include "cli/orphan_guard.h"
#include "cli/signals.h"
#include "cli/store_command.h"

namespace cli {

namespace {

constexpr std::size_t kIndexColumns = 6;

bool ends_run(std::string_view line) {
  // The last event of every run: a cancelled one closes with run_completed too.
  return line.starts_with(R"({"type":"run_completed")") || line.starts_with(R"({"type":"run_error")");
}

void append_line(std::string& out, std::uint64_t index, std::string_view line, bool json) {
  const auto number = std::to_string(index);
  if (json) {
    out += R"({"event_index":)" + number + ",";
    out += line.substr(1);
  } else {
    const auto event = run::decode(line);
    out += padded(number, kIndexColumns) + " ";
    // An event of a newer program is shown as it is.
    out += event ? base::iso_utc_ms(event->at_ms).substr(11, 12) + "  " + event_text(*event) : harmless(line);
  }
  out += '\n';
}

// Prints the events of a slice from `cursor` on and moves it; true when the last one ends the run.
bool print(const store::Slice& slice, std::uint64_t& cursor, bool json) {
  if (slice.first > cursor) {
    warn("events below " + std::to_string(slice.first) + " were given up by retention (keep_days)");
    cursor = slice.first;
  }
  std::string out;
  bool ended = false;
  std::string_view rest = *slice.lines;
  for (auto index = slice.first; !rest.empty(); ++index) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (index < cursor) continue;
    append_line(out, index, line, json);
    cursor = index + 1;
    ended = ends_run(line);
  }
  put(out);
  return ended;
}

aio::Task<> print_present(Process& process, const store::Run& run, const LogsOptions& options) {
  auto cursor = options.from;
  for (;;) {
    const auto slice = co_await process.store->read(run.number, cursor);
    if (!slice.count) break;
    print(slice, cursor, options.json);
  }
  if (run.first_kept > options.from && cursor == options.from)
    warn("events below " + std::to_string(run.first_kept) + " were given up by retention (keep_days)");
}

// Until the run's end, or a signal.
aio::Task<int> print_live(Process& process, const store::Run& run, const LogsOptions& options) {
  int signal_received = 0;
  const Signals signals(process.io, [&](int signal) {
    signal_received = signal;
    process.logs->tick();
  });
  engine::LiveLogs::Reader reader(*process.logs, run.number);
  auto cursor = options.from;
  bool ended = run::is_terminal(run.status) && options.from >= run.event_count;
  while (!ended && !signal_received) {
    const auto block = co_await reader.read(cursor);
    if (block)
      ended = print(block->slice, cursor, options.json);
    else if (const auto now = co_await present(process, run.run_id);
             !now || (run::is_terminal(now->status) && now->event_count <= cursor))
      ended = true;  // nothing more will come: asked for events beyond the end, or the run was removed
    else if (!signal_received)
      co_await reader.wait(cursor);
  }
  co_return !signal_received ? kOk : signal_received == SIGTERM ? kTerminated : kInterrupted;
}

aio::Task<int> logs(Process& process, const LogsOptions& options) {
  const auto run = co_await resolve_run(process, options.id);
  if (!run) co_return complain(run.error());
  if (!options.follow) {
    co_await print_present(process, *run, options);
    co_return kOk;
  }
  OrphanGuard guard(
      process, [](const store::Run&, const std::string& what) { note(what); }, [](const store::Run&, const std::string&) {});
  guard.watch(*run);
  aio::TaskGroup tasks(process.io, [](const std::string& name, const std::string& what) { warn(name + ": " + what); });
  tasks.spawn("guard", guard.stand());
  std::exception_ptr broken;
  int code = kFailed;
  try {
    code = co_await print_live(process, *run, options);
  } catch (...) {
    broken = std::current_exception();
  }
  tasks.cancel();
  co_await tasks.join();
  if (broken) std::rethrow_exception(broken);
  co_return code;
}

}  // namespace

int run_logs(const LogsOptions& options) {
  return with_store([&options](Process& process) { return logs(process, options); });
}

}  // namespace cli
