#include "cli/ls.h"

#include <algorithm>
#include <unordered_set>

#include "base/json.h"
#include "base/text.h"
#include "cli/run_json.h"
#include "cli/store_command.h"
#include "engine/projection_manifest.h"

namespace cli {

namespace {

constexpr std::int64_t kAll = 1'000'000'000;
constexpr std::int64_t kCompletionsMax = 200;
constexpr std::size_t kAgentColumnsMax = 20, kModelColumnsMax = 32, kTextColumns = 48;
constexpr std::string_view kWaiting = "waiting for an executor";

Checked<run::Status> read_status(const std::string& word) {
  std::string upper = word;
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (const auto status = run::parse_status(upper)) return *status;
  if (upper == "FAILED" || upper == "TIMED_OUT") return run::Status::error;
  return refuse(kUsage, "--status " + word + ": write pending, running, paused, completed, error or cancelled");
}

// What is true of a run besides its stored status.
using Notes = std::unordered_set<store::RunNumber>;

aio::Task<Notes> orphans_among(Process& process, const std::vector<store::Run>& runs) {
  Notes notes;
  // Finished runs have no executor to miss: most lists need no second look.
  const bool some_live = std::ranges::any_of(runs, [](const store::Run& r) { return r.status < run::Status::paused; });
  if (!some_live) co_return notes;
  for (const auto& orphan : co_await process.store->orphans(10'000)) notes.insert(orphan.number);
  co_return notes;
}

// What a line says of a run from its spec, which is far larger.
struct Cells {
  std::string agent, model, text;
};

Cells cells_of(const store::Run& run) {
  const auto spec = run::decode_spec(run.spec).value_or(run::Spec{});
  return {one_line(run.component_name, kAgentColumnsMax), one_line(engine::model_spec_of(spec), kModelColumnsMax), one_line(spec.input, kTextColumns)};
}

void print_table(const std::vector<store::Run>& runs, const Notes& orphans, std::int64_t now_ms) {
  std::size_t id_columns = 6, agent_columns = 5, model_columns = 5;
  std::vector<Cells> rows;
  rows.reserve(runs.size());
  for (const auto& run : runs) {
    rows.push_back(cells_of(run));
    id_columns = std::max(id_columns, run.run_id.size());
    agent_columns = std::max(agent_columns, columns_of(rows.back().agent));
    model_columns = std::max(model_columns, columns_of(rows.back().model));
  }
  std::string out = "  " + padded("RUN", id_columns) + "  STATUS     AGE   " + padded("AGENT", agent_columns) + "  " +
                    padded("MODEL", model_columns) + "  TEXT\n";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto& run = runs[i];
    const bool orphan = orphans.contains(run.number);
    out += run::is_terminal(run.status) ? "  " : orphan ? "! " : "* ";
    out += padded(run.run_id, id_columns) + "  " + padded(run::name(run.status), 9) + "  " + padded(age(run.created_ms, now_ms), 4) + "  ";
    out += padded(rows[i].agent, agent_columns) + "  " + padded(rows[i].model, model_columns) + "  ";
    out += orphan ? "(" + std::string(kWaiting) + ") " : "";
    out += rows[i].text + "\n";
  }
  put(out);
}

void print_json(const std::vector<store::Run>& runs, const Notes& orphans) {
  std::string out = "[";
  for (const auto& run : runs) {
    out += out.size() > 1 ? ",\n " : "";
    out += base::to_text(listed_json(run, orphans.contains(run.number) ? kWaiting : ""));
  }
  put_line(out + "]");
}

aio::Task<int> ls(Process& process, const LsOptions& options) {
  store::RunFilter filter;
  filter.limit = options.all ? kAll : options.count;
  if (!options.tasks) filter.except_type = store::kKindTool, filter.operations = false;
  if (options.status) {
    const auto status = read_status(*options.status);
    if (!status) co_return complain(status.error());
    filter.status = *status;
  }
  if (options.session) {
    const auto session = co_await resolve_session(process, *options.session);
    if (!session) co_return complain(session.error());
    filter.session_id = session->session_id;
  }
  const auto page = co_await process.store->list_runs(filter);
  const auto orphans = co_await orphans_among(process, page.items);
  if (options.json) {
    print_json(page.items, orphans);
    co_return kOk;
  }
  if (page.items.empty()) {
    note(page.total || options.status || options.session
             ? "no such runs"
             : "no runs yet; start one: outlast agent demo/story \"Tell me a story\"");
    co_return kOk;
  }
  print_table(page.items, orphans, process.time.wall_ms());
  const auto shown = static_cast<std::int64_t>(page.items.size());
  if (shown < page.total) note(std::to_string(page.total - shown) + " older ones: outlast ls --all");
  if (!orphans.empty()) note("! waits for an executor: outlast resume --all");
  co_return kOk;
}

aio::Task<int> ids(Process& process) {
  store::RunFilter filter;
  filter.limit = kCompletionsMax;
  const auto page = co_await process.store->list_runs(filter);
  std::string out;
  for (const auto& run : page.items) out += run.run_id + "\n";
  put(out);
  co_return kOk;
}

}  // namespace

int run_ls(const LsOptions& options) {
  if (options.count <= 0) return complain(kUsage, "-n: write how many runs to list, 1 or more");
  return with_store([&options](Process& process) { return ls(process, options); });
}

int run_ids() {
  return with_store([](Process& process) { return ids(process); });
}

}  // namespace cli
