#include "cli/monitor.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

#include "base/json.h"
#include "base/limits.h"
#include "cli/monitor_table.h"
#include "cli/named_run.h"
#include "cli/run_json.h"
#include "cli/signals.h"
#include "cli/store_command.h"
#include "cli/tree_end.h"
#include "engine/projection_manifest.h"

namespace cli {

namespace json = boost::json;
namespace limits = base::limits;

namespace {

constexpr std::size_t kEndedUsual = 20;  // shown where no --since asks for more
constexpr std::size_t kColumnsUsual = 120;
constexpr double kRefreshSecondsMax = 86'400;
constexpr std::int64_t kSignalLookMs = 50;
constexpr std::size_t kOrphansMax = 10'000;

// What one look has found.
struct Picture {
  std::vector<store::Run> runs;
  std::vector<MonitorRow> rows;  // of the same runs
  std::int64_t more = 0;
};

struct Window {
  std::size_t columns = kColumnsUsual, lines = 0;  // 0: as many as there are
};

Window window() {
  winsize size{};
  if (!out_is_terminal() || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return {.columns = size.ws_col, .lines = size.ws_row};
}

MonitorRow row_of(const store::Run& run) {
  MonitorRow row{.run_id = run.run_id,
                 .kind = run.kind,
                 .status = std::string(engine::outcome_of(run.status, run.reason).word),
                 .agent = run.component_name == run.kind ? "" : run.component_name,
                 .model = {},
                 .text = {},
                 .created_ms = run.created_ms,
                 .ended_ms = run.ended_ms,
                 .live = !run::is_terminal(run.status),
                 .children = {}};
  const auto spec = run::decode_spec(run.spec);
  if (!spec) return row;
  if (!spec->model.empty()) row.model = engine::model_spec_of(*spec);
  row.text = spec->call ? spec->call->arguments : spec->input;
  return row;
}

aio::Task<> mark_orphans(Process& process, Picture& picture) {
  if (std::ranges::none_of(picture.runs, [](const store::Run& r) { return r.status < run::Status::paused; })) co_return;
  std::unordered_set<std::string> ids;
  for (const auto& orphan : co_await process.store->orphans(kOrphansMax)) ids.insert(orphan.run_id);
  for (auto& row : picture.rows) row.orphan = row.live && ids.contains(row.run_id);
}

aio::Task<> count_children(Process& process, Picture& picture) {
  if (picture.runs.empty()) co_return;
  std::unordered_set<std::string> ids;
  auto from = picture.runs.front().number;
  for (const auto& run : picture.runs) {
    ids.insert(run.run_id);
    from = std::min(from, run.number);
  }
  const auto counts = co_await process.store->count_children(from, std::move(ids));
  for (auto& row : picture.rows)
    if (const auto at = counts.find(row.run_id); at != counts.end()) row.children = at->second;
}

// A run and what is below it, each below the run that has started it.
aio::Task<Picture> tree_picture(Process& process, store::Run root, std::size_t rows_max) {
  const auto tree = co_await tree_of(process, root);
  Picture picture;
  if (tree.empty()) co_return picture;
  std::map<std::string, std::vector<const store::Run*>> below;
  for (const auto& run : tree)
    if (run.number != root.number) below[run.parent_run_id].push_back(&run);
  std::vector<std::pair<const store::Run*, std::size_t>> next{{&tree.front(), 0}};
  while (!next.empty() && picture.rows.size() < rows_max) {
    const auto [run, depth] = next.back();
    next.pop_back();
    picture.runs.push_back(*run);
    picture.rows.push_back(row_of(*run));
    picture.rows.back().depth = depth;
    auto& children = below[run->run_id];
    for (auto child = children.rbegin(); child != children.rend(); ++child) next.emplace_back(*child, depth + 1);
  }
  picture.more = static_cast<std::int64_t>(tree.size() - picture.rows.size());
  co_return picture;
}

aio::Task<Picture> home_picture(Process& process, std::optional<std::int64_t> since_ms, std::size_t rows_max) {
  const auto since = since_ms ? std::max<std::int64_t>(1, process.time.wall_ms() - *since_ms) : 1;
  auto page = co_await process.store->overview(
      {.ended_since_ms = since, .ended_max = since_ms ? rows_max : std::min(rows_max, kEndedUsual), .limit = rows_max});
  Picture picture;
  for (const auto& run : page.items) picture.rows.push_back(row_of(run));
  picture.more = page.total - static_cast<std::int64_t>(page.items.size());
  picture.runs = std::move(page.items);
  co_return picture;
}

std::string picture_json(const Picture& picture) {
  json::array runs;
  for (std::size_t i = 0; i < picture.runs.size(); ++i) {
    const auto& row = picture.rows[i];
    auto o = listed_json(picture.runs[i], row.orphan ? "waiting for an executor" : "");
    o["status"] = row.status;
    o["parent_run_id"] = text_json(picture.runs[i].parent_run_id);
    o["depth"] = row.depth;
    o["text"] = one_line(row.text, 200);
    o["children"] = children_json(row.children);
    runs.push_back(std::move(o));
  }
  return answer_json({{"runs", std::move(runs)}, {"more", picture.more}});
}

class Monitor {
 public:
  Monitor(Process& process, const MonitorOptions& options, std::optional<std::int64_t> since_ms, std::optional<store::Run> root)
      : process_(process), options_(options), since_ms_(since_ms), root_(std::move(root)) {}

  aio::Task<int> run() {
    if (!options_.watch) {
      show(co_await look(limits::kMonitorRowsMax));
      co_return kOk;
    }
    bool interrupted = false;
    const Signals signals(process_.io, [&interrupted](int) { interrupted = true; });
    const bool repaints = out_is_terminal() && !options_.json;
    std::string shown;
    for (;;) {
      const auto lines = window().lines;
      // A heading, a line that says how many more there are, and the cursor's need room too.
      const auto picture =
          co_await look(repaints && lines > 4 ? std::min(lines - 3, limits::kMonitorRowsMax) : limits::kMonitorRowsMax);
      auto digest = monitor_digest(picture.rows, picture.more);
      if (repaints) put("\x1b[H\x1b[2J");
      if (repaints || digest != shown) show(picture);
      shown = std::move(digest);
      if (all_done(picture.rows)) co_return kOk;
      const auto next = process_.time.steady_ms() + std::llround(options_.refresh_s * 1000);
      while (!interrupted && process_.time.steady_ms() < next)
        co_await process_.time.sleep(
            std::chrono::milliseconds(std::clamp<std::int64_t>(next - process_.time.steady_ms(), 1, kSignalLookMs)));
      if (interrupted) co_return kInterrupted;
    }
  }

 private:
  aio::Task<Picture> look(std::size_t rows_max) {
    Picture picture;
    if (root_)
      picture = co_await tree_picture(process_, *root_, rows_max);
    else
      picture = co_await home_picture(process_, since_ms_, rows_max);
    co_await mark_orphans(process_, picture);
    co_await count_children(process_, picture);
    co_return picture;
  }

  void show(const Picture& picture) {
    if (options_.json) return put_line(picture_json(picture));
    if (picture.rows.empty())
      return note(root_       ? "the run was removed"
                  : since_ms_ ? "no run is live, and none has ended since then"
                              : "no runs yet; start one: outlast agent demo/story \"Tell me a story\"");
    put(monitor_table(picture.rows, picture.more, window().columns, process_.time.wall_ms()));
  }

  Process& process_;
  const MonitorOptions& options_;
  const std::optional<std::int64_t> since_ms_;
  const std::optional<store::Run> root_;
};

aio::Task<int> monitor(Process& process, const MonitorOptions& options, std::optional<std::int64_t> since_ms) {
  std::optional<store::Run> root;
  if (!options.id.empty()) {
    auto found = co_await named_run(process, options.id);
    if (!found && !options.json) co_return complain(found.error());
    if (!found) {
      put_line(error_json(error_kind(found.error().code), found.error().message));
      co_return exit_code_of(found.error().code);
    }
    root = std::move(*found);
  }
  Monitor monitor(process, options, since_ms, std::move(root));
  co_return co_await monitor.run();
}

}  // namespace

int run_monitor(const MonitorOptions& options) {
  std::optional<std::int64_t> since_ms;
  if (!options.since.empty()) {
    since_ms = parse_since(options.since);
    if (!since_ms) return complain(kUsage, "--since " + options.since + ": write a time such as 90s, 30m, 1h or 2d");
  }
  if (!(options.refresh_s > 0) || options.refresh_s > kRefreshSecondsMax)
    return complain(kUsage, "--refresh: write a number of seconds above 0");
  return with_store([&](Process& process) { return monitor(process, options, since_ms); }, report_for(options.json));
}

}  // namespace cli
