#include "store/sqlite/reads.h"

#include <algorithm>

#include "base/clock.h"
#include "base/limits.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/turns.h"

namespace store::sqlite {

namespace limits = base::limits;

namespace {

constexpr std::size_t kCandidates = 5;

// The smallest text above all texts that begin with `prefix` (ids are far below U+10FFFF).
std::string above(const std::string& prefix) { return prefix + "\xF4\x8F\xBF\xBF"; }

std::string listing(const std::string& prefix, std::vector<std::string> candidates) {
  std::string text = "'" + prefix + "' is ambiguous; it could be";
  for (std::size_t i = 0; i < std::min(candidates.size(), kCandidates); ++i) text += "\n  " + candidates[i];
  if (candidates.size() > kCandidates) text += "\n  ...";
  return text;
}

std::string describe(const Run& run) {
  return run.run_id + "  " + std::string(run::name(run.status)) + "  " + run.component_name + "  " +
         base::iso_utc(run.created_ms);
}

// Drops the lines before `from` of a block that starts at `first`.
std::string_view from_line(std::string_view data, std::uint64_t first, std::uint64_t from) {
  for (; first < from; ++first) data.remove_prefix(data.find('\n') + 1);
  return data;
}

}  // namespace

base::Result<Run> select_run(Database& db, const std::string& run_id) {
  auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES "WHERE r.run_id = ?");
  q.bind(run_id);
  if (!q.step()) return base::fail(base::Errc::not_found, "no run '" + run_id + "'");
  return read_run(q);
}

base::Result<Run> select_run_by_prefix(Database& db, const std::string& prefix) {
  if (auto exact = select_run(db, prefix)) return exact;
  std::vector<Run> runs;
  if (!prefix.empty()) {
    auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES
                      "WHERE r.run_id >= ? AND r.run_id < ? ORDER BY r.run_id LIMIT 6");
    const auto end = above(prefix);
    q.bind(prefix).bind(end);
    while (q.step()) runs.push_back(read_run(q));
  }
  if (!prefix.empty()) {
    // A session names its newest run.
    auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES
                      "WHERE s.session_id >= ? AND s.session_id < ? AND r.id = (SELECT max(id) FROM run n WHERE n.session = s.id "
                      "AND n.kind <> 'tool') LIMIT 6");
    const auto end = above(prefix);
    q.bind(prefix).bind(end);
    while (q.step()) {
      auto run = read_run(q);
      if (run.session_id == prefix) return run;
      if (std::ranges::none_of(runs, [&run](const Run& r) { return r.number == run.number; })) runs.push_back(std::move(run));
    }
  }
  if (runs.empty()) return base::fail(base::Errc::not_found, "no run or session begins with '" + prefix + "'");
  if (runs.size() == 1) return std::move(runs.front());
  std::vector<std::string> candidates;
  for (const auto& run : runs) candidates.push_back(describe(run));
  return base::fail(base::Errc::ambiguous, listing(prefix, std::move(candidates)));
}

base::Result<Session> select_session(Database& db, const std::string& session_id) {
  auto q = db.query("SELECT " OUTLAST_SESSION_COLUMNS " FROM session s WHERE s.session_id = ?");
  q.bind(session_id);
  if (!q.step()) return base::fail(base::Errc::not_found, "no session '" + session_id + "'");
  return read_session(q);
}

base::Result<Session> select_session_by_prefix(Database& db, const std::string& prefix) {
  if (auto exact = select_session(db, prefix)) return exact;
  std::vector<Session> found;
  if (!prefix.empty()) {
    // Not those without an agent: what goes on of a removed session must not be taken for it.
    auto q = db.query("SELECT " OUTLAST_SESSION_COLUMNS
                      " FROM session s WHERE s.session_id >= ? AND s.session_id < ? AND s.component_type <> 'tool' LIMIT 6");
    const auto end = above(prefix);
    q.bind(prefix).bind(end);
    while (q.step()) found.push_back(read_session(q));
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    // A run id or its prefix names the session of that run.
    const auto run = select_run_by_prefix(db, prefix);
    if (run) return select_session(db, run->session_id);
    if (run.error().code == base::Errc::ambiguous) return std::unexpected(run.error());
    return base::fail(base::Errc::not_found, "no session or run begins with '" + prefix + "'");
  }
  std::vector<std::string> candidates;
  for (const auto& s : found) candidates.push_back(s.session_id + "  " + s.component_id + "  " + base::iso_utc(s.updated_ms));
  return base::fail(base::Errc::ambiguous, listing(prefix, std::move(candidates)));
}

Slice select_events(Database& db, RunNumber run, std::uint64_t from) {
  auto q = db.query(
      "SELECT first, count, data FROM event_block WHERE run = ?1 AND first >= "
      "coalesce((SELECT first FROM event_block WHERE run = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1), ?2) ORDER BY first");
  q.bind(run).bind(static_cast<std::int64_t>(from));
  auto lines = std::make_shared<std::string>();
  Slice slice;
  slice.first = from;
  while (q.step()) {
    const auto first = static_cast<std::uint64_t>(q.integer(0));
    const auto end = first + static_cast<std::uint64_t>(q.integer(1));
    if (end <= from) continue;
    if (slice.count == 0 && first > from) slice.first = first;  // what lies before was given up by retention
    const auto data = q.bytes(2);
    if (lines->empty()) lines->reserve(std::min(limits::kReadBytesMax + limits::kSealedBlockBytes, data.size() * 2 + 4096));
    *lines += from_line(data, first, std::max(first, slice.first));
    slice.count = static_cast<std::uint32_t>(end - slice.first);
    if (lines->size() >= limits::kReadBytesMax) break;
  }
  slice.lines = std::move(lines);
  return slice;
}

std::string select_last_event(Database& db, RunNumber run) {
  auto q = db.query("SELECT data FROM event_block WHERE run = ? ORDER BY first DESC LIMIT 1");
  q.bind(run);
  if (!q.step()) return {};
  auto data = q.bytes(0);
  if (data.empty()) return {};
  data.remove_suffix(1);
  const auto line = data.rfind('\n');
  return std::string(line == std::string_view::npos ? data : data.substr(line + 1));
}

std::vector<Fact> select_facts(Database& db, RunNumber run) {
  auto q = db.query("SELECT at_ms, epoch, type, data FROM fact WHERE run = ? ORDER BY id LIMIT 10000");
  q.bind(run);
  std::vector<Fact> facts;
  while (q.step()) facts.push_back({q.integer(0), q.integer(1), q.text(2), q.text(3)});
  return facts;
}

std::vector<Fact> select_session_facts(Database& db, SessionNumber session, const std::string& type) {
  auto q = db.query(
      "SELECT at_ms, epoch, type, data FROM fact WHERE run IN (SELECT id FROM run WHERE session = ?) AND type = ? ORDER BY id "
      "DESC LIMIT 10000");
  q.bind(session).bind(type);
  std::vector<Fact> facts;
  while (q.step()) facts.push_back({q.integer(0), q.integer(1), q.text(2), q.text(3)});
  std::ranges::reverse(facts);
  return facts;
}

// Filters by "empty or equal", so that one literal statement serves every combination; the planner drives it by id or session.
#define OUTLAST_RUN_FILTER                                                                                                   \
  "WHERE (?1 = '' OR r.kind = ?1) AND (?2 = '' OR r.component_id = ?2) AND (?3 = '' OR s.session_id = ?3) AND "              \
  "(?4 = '' OR r.user_id = ?4) AND (?5 < 0 OR r.status = ?5) AND (?6 = 0 OR r.status < 3) AND (?7 = '' OR r.group_id = ?7) " \
  "AND (?8 = '' OR r.kind <> ?8) AND (?9 = 1 OR r.parent_run_id = '' OR r.group_id = '' OR r.group_id = r.run_id) "

namespace {

void bind_filter(Query& q, const RunFilter& filter) {
  q.bind(filter.component_type).bind(filter.component_id).bind(filter.session_id).bind(filter.user_id);
  q.bind(filter.status ? static_cast<std::int64_t>(*filter.status) : std::int64_t{-1}).bind(std::int64_t{filter.live_only});
  q.bind(filter.group_id).bind(filter.except_type).bind(std::int64_t{filter.operations});
}

Page<Run> read_page(Query q, const RunFilter& filter) {
  bind_filter(q, filter);
  q.bind(filter.limit).bind(filter.offset);
  Page<Run> page;
  while (q.step()) page.items.push_back(read_run(q));
  return page;
}

bool is_unfiltered(const RunFilter& f) {
  return f.component_type.empty() && f.component_id.empty() && f.session_id.empty() && f.user_id.empty() && f.group_id.empty() &&
         f.except_type.empty() && !f.status && !f.live_only && f.operations;
}

}  // namespace

Page<Run> select_runs(Database& db, const RunFilter& filter) {
  static constexpr auto kByIdDown =
      Sql("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES OUTLAST_RUN_FILTER "ORDER BY r.id DESC LIMIT ?10 OFFSET ?11");
  static constexpr auto kByIdUp =
      Sql("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES OUTLAST_RUN_FILTER "ORDER BY r.id LIMIT ?10 OFFSET ?11");
  static constexpr auto kByUpdateDown = Sql("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES OUTLAST_RUN_FILTER
                                            "ORDER BY r.updated_ms DESC, r.id DESC LIMIT ?10 OFFSET ?11");
  static constexpr auto kByUpdateUp =
      Sql("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES OUTLAST_RUN_FILTER "ORDER BY r.updated_ms, r.id LIMIT ?10 OFFSET ?11");
  const bool by_update = filter.sort == RunFilter::Sort::updated;
  auto page = read_page(
      db.query(filter.ascending ? (by_update ? kByUpdateUp : kByIdUp) : (by_update ? kByUpdateDown : kByIdDown)), filter);
  if (is_unfiltered(filter)) {
    auto count = db.query("SELECT count(*) FROM run");
    page.total = count.step() ? count.integer(0) : 0;
  } else {
    auto count = db.query("SELECT count(*)" OUTLAST_RUN_TABLES OUTLAST_RUN_FILTER);
    bind_filter(count, filter);
    page.total = count.step() ? count.integer(0) : 0;
  }
  return page;
}

std::vector<Run> select_tasks(Database& db, const TaskFilter& filter) {
  std::vector<Run> tasks;
  auto live = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES
                       "WHERE r.session = (SELECT id FROM session WHERE session_id = ?) AND r.kind = 'tool' AND r.awaited = 0 AND "
                       "r.status < 3 ORDER BY r.id DESC LIMIT ?");
  live.bind(filter.session_id).bind(filter.live_max);
  while (live.step()) tasks.push_back(read_run(live));
  // Chosen by their numbers, so that only what is shown is read whole.
  auto ended = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES
                        "WHERE r.id IN (SELECT id FROM run WHERE session = (SELECT id FROM session WHERE session_id = ?) AND "
                        "kind = 'tool' AND awaited = 0 AND status >= 3 AND ended_ms >= ? ORDER BY ended_ms DESC, id DESC LIMIT ?) "
                        "ORDER BY r.ended_ms DESC, r.id DESC");
  ended.bind(filter.session_id).bind(filter.ended_since_ms).bind(filter.ended_max);
  while (ended.step()) tasks.push_back(read_run(ended));
  return tasks;
}

// Without a type: conversations, not what only holds the tasks of a client.
#define OUTLAST_SESSION_FILTER                                                                                           \
  " FROM session s WHERE CASE WHEN ?1 = '' THEN s.component_type NOT IN ('mcp', 'tool') ELSE s.component_type = ?1 END " \
  "AND (?2 = '' OR s.component_id = ?2) AND "                                                                            \
  "(?3 = '' OR s.user_id = ?3) AND (?4 = '' OR instr(lower(s.name), lower(?4)) > 0) "
#define OUTLAST_SESSION_PAGE(order) \
  Sql("SELECT " OUTLAST_SESSION_COLUMNS OUTLAST_SESSION_FILTER "ORDER BY " order ", s.id LIMIT ?5 OFFSET ?6")

Page<Session> select_sessions(Database& db, const SessionFilter& filter) {
  static constexpr Sql kStatements[3][2] = {{OUTLAST_SESSION_PAGE("s.created_ms DESC"), OUTLAST_SESSION_PAGE("s.created_ms")},
                                            {OUTLAST_SESSION_PAGE("s.updated_ms DESC"), OUTLAST_SESSION_PAGE("s.updated_ms")},
                                            {OUTLAST_SESSION_PAGE("s.name DESC"), OUTLAST_SESSION_PAGE("s.name")}};
  const auto bind = [&filter](Query& q) {
    q.bind(filter.component_type).bind(filter.component_id).bind(filter.user_id).bind(filter.name_contains);
  };
  Page<Session> page;
  {
    auto q = db.query(kStatements[static_cast<std::size_t>(filter.sort)][filter.ascending ? 1 : 0]);
    bind(q);
    q.bind(filter.limit).bind(filter.offset);
    while (q.step()) page.items.push_back(read_session(q));
  }
  auto count = db.query("SELECT count(*)" OUTLAST_SESSION_FILTER);
  bind(count);
  page.total = count.step() ? count.integer(0) : 0;
  return page;
}

std::vector<Store::Past> select_history(Database& db, SessionNumber session, std::int64_t through) {
  // A fork's past is its origin's past, then the origin run up to the fork, then its own ended runs; newest leg first here.
  std::vector<std::vector<Store::Past>> legs;
  while (session != 0 && legs.size() < 1000) {
    auto& leg = legs.emplace_back();
    auto q = db.query(
        "SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES
        "WHERE r.session = ? AND r.kind NOT IN ('tool', 'flow', 'fanout') AND r.ended_ordinal > 0 AND r.ended_ordinal <= ? ORDER BY r.ended_ordinal");
    q.bind(session).bind(through);
    while (q.step()) leg.push_back({.run = read_run(q)});
    auto origin = db.query("SELECT forked_from, forked_at FROM session WHERE id = ?");
    origin.bind(session);
    session = 0;
    if (!origin.step() || origin.integer(0) == 0) break;
    auto run = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES "WHERE r.id = ?");
    run.bind(origin.integer(0));
    if (!run.step()) break;  // the origin was removed: the fork goes on with what is left
    Store::Past cut{.run = read_run(run), .until = static_cast<std::uint64_t>(origin.integer(1))};
    session = cut.run.session;
    through = cut.run.history_through;
    leg.insert(leg.begin(), std::move(cut));
  }
  std::vector<Store::Past> past;
  for (auto leg = legs.rbegin(); leg != legs.rend(); ++leg) past.insert(past.end(), leg->begin(), leg->end());
  return past;
}

#define OUTLAST_MEMORY_FILTER                                                                                          \
  "WHERE session = ?1 AND (?2 = '' OR instr(lower(content), lower(?2)) > 0 OR instr(lower(category), lower(?2)) > 0) " \
  "AND (?3 = 0 OR status < 2) "

Page<run::MemoryEntry> select_memory(Database& db, SessionNumber session, const MemoryFilter& filter) {
  // Each part in the order of the index (session, kind, number), so that a bounded look reads no more than it shows.
  static constexpr Sql kParts[] = {
      "SELECT " OUTLAST_MEMORY_COLUMNS " FROM memory " OUTLAST_MEMORY_FILTER "AND kind < 2 ORDER BY kind, number",
      "SELECT " OUTLAST_MEMORY_COLUMNS " FROM memory " OUTLAST_MEMORY_FILTER "AND kind = 2 ORDER BY number DESC"};
  Page<run::MemoryEntry> page;
  for (const auto& part : kParts) {
    auto q = db.query(part);
    q.bind(session).bind(filter.contains).bind(std::int64_t{filter.open_only});
    for (std::size_t bytes = 0; page.items.size() < filter.limit && bytes < filter.part_bytes_max && q.step();) {
      page.items.push_back(read_memory(q));
      bytes += page.items.back().content.size();
    }
  }
  auto count = db.query("SELECT count(*) FROM memory " OUTLAST_MEMORY_FILTER);
  count.bind(session).bind(filter.contains).bind(std::int64_t{filter.open_only});
  page.total = count.step() ? count.integer(0) : 0;
  return page;
}

std::vector<Run> select_undecided(Database& db, std::int64_t now_ms) {
  // Most specs do not even name a limit, and need not be parsed.
  auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES
                    "WHERE r.status = 2 AND r.status < 3 AND r.kind <> 'tool' AND r.reason = ?1 AND instr(p.spec, '\"approval_ms\":') > 0 AND "
                    "json_valid(p.spec) AND r.updated_ms + json_extract(p.spec, '$.approval_ms') <= ?2 ORDER BY r.id LIMIT 100");
  q.bind(run::kReasonApproval).bind(now_ms);
  std::vector<Run> runs;
  while (q.step()) runs.push_back(read_run(q));
  return runs;
}

std::vector<Session> select_sessions_to_wake(Database& db, std::int64_t created_before_ms) {
  auto q = db.query("SELECT " OUTLAST_SESSION_COLUMNS
                    " FROM session s WHERE s.id IN (SELECT n.session FROM notice n JOIN run t ON t.run_id = n.task WHERE "
                    "n.created_ms < ? AND n.kind NOT IN ('said', 'message') AND t.status <> 5) AND "
                    "NOT EXISTS(SELECT 1 FROM run r WHERE r.session = s.id AND r.kind <> 'tool' AND r.status < 3) LIMIT 100");
  q.bind(created_before_ms);
  std::vector<Session> sessions;
  while (q.step()) sessions.push_back(read_session(q));
  return sessions;
}

std::vector<Run> select_orphans(Database& db, const Peers& peers, std::size_t limit, Orphans which, std::int64_t now_ms) {
  std::vector<OwnerNumber> dead;
  {
    auto q = db.query(
        "SELECT r.owner, coalesce(o.host, ''), coalesce(o.boot_id, ''), coalesce(o.pid, 0), coalesce(o.pid_start, 0), "
        "coalesce(o.expires_ms, 0) "
        "FROM (SELECT DISTINCT owner FROM run WHERE status < 2) r LEFT JOIN owner o ON o.id = r.owner");
    while (q.step()) {
      const Owner owner{q.integer(0), q.text(1), q.text(2), q.integer(3), q.integer(4), q.integer(5)};
      if (!peers.lives(owner, now_ms)) dead.push_back(owner.number);
    }
  }
  std::vector<Run> runs;
  for (const auto owner : dead) {
    auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES
                      "WHERE r.status < 2 AND r.owner = ?1 AND (?2 = 0 OR r.kind = 'tool' OR r.parent_run_id <> '') "
                      "AND NOT " OUTLAST_WAITS_ITS_TURN " ORDER BY r.id LIMIT ?3");
    q.bind(owner).bind(std::int64_t{which == Orphans::dependent}).bind(static_cast<std::int64_t>(limit - runs.size()));
    while (q.step()) runs.push_back(read_run(q));
    if (runs.size() >= limit) break;
  }
  return runs;
}

std::vector<RunNumber> select_cancelled(Database& db, OwnerNumber owner) {
  auto q = db.query("SELECT id FROM run WHERE status < 2 AND owner = ? AND cancel_requested = 1");
  q.bind(owner);
  std::vector<RunNumber> runs;
  while (q.step()) runs.push_back(q.integer(0));
  return runs;
}

std::vector<Growth> select_growth(Database& db, std::int64_t after, std::int64_t& last) {
  auto q = db.query(
      "SELECT b.id, b.run, b.first, b.count, b.data, r.status, r.session FROM event_block b JOIN run r ON r.id = b.run WHERE "
      "b.id > ? ORDER BY b.id");
  q.bind(after);
  std::vector<Growth> growth;
  std::size_t bytes = 0;
  while (bytes < limits::kCommitBytesMax && q.step()) {
    last = q.integer(0);
    const auto data = q.bytes(4);
    bytes += data.size();
    growth.push_back({.run = q.integer(1),
                      .session = q.integer(6),
                      .slice = {.first = static_cast<std::uint64_t>(q.integer(2)),
                                .count = static_cast<std::uint32_t>(q.integer(3)),
                                .lines = std::make_shared<const std::string>(data)},
                      .status = static_cast<run::Status>(q.integer(5))});
  }
  return growth;
}

std::int64_t select_last_block(Database& db) {
  auto q = db.query("SELECT coalesce(max(id), 0) FROM event_block");
  return q.step() ? q.integer(0) : 0;
}

}  // namespace store::sqlite
