#include "cli/run_files.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "aio/task_group.h"
#include "base/json.h"
#include "cli/store_command.h"
#include "engine/projection.h"

namespace cli {

namespace json = boost::json;

namespace {

constexpr std::int64_t kSettleMs = 1'000;
constexpr std::int64_t kFreshMs = 5'000;  // its executor may still be writing
constexpr std::int64_t kLookMs = 5;

bool tells_end(const json::object& entry) {
  const auto* ended = entry.if_contains("ended_at");
  return ended && ended->is_number();
}

bool manifest_tells_end(const std::string& path, const store::Run& run) {
  std::ifstream file(path);
  if (!file) return true;  // nobody keeps files of this run
  std::stringstream text;
  text << file.rdbuf();
  const auto value = base::parse_json(text.str());
  const auto* manifest = value ? value->if_object() : nullptr;
  if (!manifest) return true;
  if (run.run_id == run.group_id) return tells_end(*manifest);
  if (const auto* invocations = base::array_field(*manifest, "invocations"))
    for (const auto& item : *invocations)
      if (const auto* entry = item.if_object(); entry && base::string_field(*entry, "run_id") == run.run_id)
        return tells_end(*entry);
  return true;
}

// The executor died between the run's last event and its last file: what the files lack is written from the log.
aio::Task<> complete_files(Process& process, const store::Run& run) {
  aio::Offload files(1);
  engine::Projection projection(*process.store, *process.logs, process.time, files, process.settings.home + "/runs");
  aio::TaskGroup tasks(process.io,
                       [](const std::string&, const std::string& what) { warn("the run's files are not complete: " + what); });
  tasks.spawn("files", projection.follow(run));
  projection.leave(run.number);
  co_await tasks.join();
}

}  // namespace

std::string directory_of(const Settings& settings, const store::Run& run) {
  const auto path = run_directory(settings, run.group_id);
  std::error_code ec;
  return !run.group_id.empty() && std::filesystem::is_directory(path, ec) ? path : "";
}

std::string artifacts_of(const Settings& settings, const store::Run& run) {
  auto path = run.group_id.empty() ? "" : run_directory(settings, run.group_id) + "/artifacts";
  // A flow's lie where the user wanted them.
  if (run.kind == store::kKindFlow || run.kind == store::kKindFanout)
    if (const auto spec = run::decode_spec(run.spec); spec && spec->flow) path = spec->flow->directory;
  std::error_code ec;
  return std::filesystem::is_directory(path, ec) ? path : "";
}

aio::Task<> files_settled(Process& process, const store::Run& run) {
  if (run.group_id.empty() || !run::is_terminal(run.status)) co_return;
  const auto path = run_directory(process.settings, run.group_id) + "/run.json";
  const bool fresh = process.time.wall_ms() - run.ended_ms < kFreshMs;
  const auto end = process.time.steady_ms() + (fresh ? kSettleMs : 0);
  while (!manifest_tells_end(path, run)) {
    if (process.time.steady_ms() >= end) co_return co_await complete_files(process, run);
    co_await process.time.sleep(std::chrono::milliseconds(kLookMs));
  }
}

}  // namespace cli
