#include "cli/fork.h"

#include "base/ids.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/run_json.h"
#include "cli/store_command.h"

namespace cli {

namespace {

struct Point {
  std::string id;
  std::optional<std::uint64_t> event;
};

Checked<Point> read_point(const std::string& text) {
  const auto at = text.rfind('@');
  if (at == std::string::npos) return Point{text, std::nullopt};
  const auto event = base::parse_int(std::string_view(text).substr(at + 1));
  if (!event || *event < 0)
    return refuse(kUsage, "'" + text + "': write RUN or RUN@EVENT, where EVENT is an index that `outlast logs RUN` shows");
  return Point{text.substr(0, at), static_cast<std::uint64_t>(*event)};
}

aio::Task<int> fork(Process& process, const ForkOptions& options) {
  const auto point = read_point(options.point);
  if (!point) co_return complain(point.error());
  const auto run = co_await resolve_run(process, point->id);
  if (!run) co_return complain(run.error());
  if (run->first_kept)
    co_return complain(kFailed, "the events of run " + run->run_id + " were given up by retention (keep_days)");
  if (point->event && *point->event >= run->event_count)
    co_return complain(kUsage, "run " + run->run_id + " has no event " + std::to_string(*point->event) + "; its last is " +
                                   std::to_string(static_cast<std::int64_t>(run->event_count) - 1));
  store::Session session;
  session.session_id = base::new_uuid(process.random);
  session.name = "fork of " + run->run_id;
  session.component_type = run->kind;
  session.component_id = run->component_id;
  session.user_id = run->user_id;
  session.forked_from_run = run->run_id;
  session.forked_at = point->event ? *point->event + 1 : run->event_count;
  session.created_ms = process.time.wall_ms();
  const auto events = session.forked_at;
  const auto made = co_await process.store->create_session(std::move(session));
  if (!made) co_return complain(made.error());
  if (options.json) {
    put_line(
        base::to_text(boost::json::object{{"branch_id", made->session_id}, {"forked_from", run->run_id}, {"events", events}}));
    co_return kOk;
  }
  put_line(made->session_id);
  note("branch of " + run->run_id + " with its first " + std::to_string(events) + " events");
  note("[to continue it] outlast agent -r " + made->session_id + " \"...\"");
  co_return kOk;
}

}  // namespace

int run_fork(const ForkOptions& options) {
  return with_store([&options](Process& process) { return fork(process, options); });
}

}  // namespace cli
