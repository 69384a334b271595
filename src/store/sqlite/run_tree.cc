#include "store/sqlite/run_tree.h"

#include <algorithm>

#include "store/sqlite/rows.h"

namespace store::sqlite {

namespace {

// Each by its number, so that only what is shown is joined and read whole.
std::vector<Run> rows_of(Database& db, const std::vector<RunNumber>& numbers) {
  std::vector<Run> runs;
  for (const auto number : numbers) {
    auto q = db.query("SELECT " OUTLAST_RUN_COLUMNS OUTLAST_RUN_TABLES "WHERE r.id = ?");
    q.bind(number);
    if (q.step()) runs.push_back(read_run(q));
  }
  return runs;
}

void count(ChildCounts& counts, run::Status status, bool empty) {
  if (status == run::Status::running)
    ++counts.running;
  else if (!run::is_terminal(status))
    ++counts.pending;
  else if (status == run::Status::completed && !empty)
    ++counts.completed;
  else
    ++counts.failed;
}

}  // namespace

// A run is launched after the one that starts it, so one walk in the order of launch, from the parent on, meets the whole tree.
// That needs no index, which every launch would pay for.

std::vector<Run> select_descendants(Database& db, RunNumber root, std::size_t limit) {
  std::unordered_set<std::string> tree;
  {
    auto q = db.query("SELECT run_id FROM run WHERE id = ?");
    q.bind(root);
    if (!q.step()) return {};
    tree.insert(q.text(0));
  }
  std::vector<RunNumber> numbers;
  {
    auto q = db.query("SELECT id, run_id, parent_run_id FROM run WHERE id > ? AND parent_run_id <> '' ORDER BY id");
    q.bind(root);
    while (numbers.size() < limit && q.step()) {
      if (!tree.contains(q.text(2))) continue;
      tree.insert(q.text(1));
      numbers.push_back(q.integer(0));
    }
  }
  return rows_of(db, numbers);
}

ChildrenOf select_child_counts(Database& db, RunNumber from, const std::unordered_set<std::string>& parents) {
  ChildrenOf counts;
  auto q = db.query("SELECT parent_run_id, status, reason = ?1 FROM run WHERE id > ?2 AND parent_run_id <> ''");
  q.bind(run::kReasonCompletedEmpty).bind(from);
  while (q.step())
    if (auto parent = q.text(0); parents.contains(parent))
      count(counts[std::move(parent)], static_cast<run::Status>(q.integer(1)), q.integer(2) != 0);
  return counts;
}

Page<Run> select_overview(Database& db, const OverviewFilter& filter) {
  std::vector<RunNumber> numbers;
  {
    auto live = db.query("SELECT id FROM run WHERE status < 3 AND parent_run_id = '' ORDER BY id DESC LIMIT ?");
    live.bind(static_cast<std::int64_t>(filter.limit));
    while (live.step()) numbers.push_back(live.integer(0));
  }
  if (const auto left = std::min(filter.ended_max, filter.limit - numbers.size())) {
    auto ended = db.query(
        "SELECT id FROM run WHERE ended_ms > 0 AND ended_ms >= ? AND parent_run_id = '' ORDER BY ended_ms DESC, id DESC LIMIT ?");
    ended.bind(filter.ended_since_ms).bind(static_cast<std::int64_t>(left));
    while (ended.step()) numbers.push_back(ended.integer(0));
  }
  Page<Run> page;
  page.items = rows_of(db, numbers);
  auto total = db.query("SELECT count(*) FROM run WHERE parent_run_id = '' AND (status < 3 OR ended_ms >= ?)");
  total.bind(filter.ended_since_ms);
  page.total = total.step() ? total.integer(0) : 0;
  return page;
}

std::vector<Holder> select_holders(Database& db, const Peers& peers, std::int64_t now_ms) {
  std::vector<Holder> holders;
  auto q = db.query(
      "SELECT o.id, o.host, o.boot_id, o.pid, o.pid_start, o.expires_ms, r.run_id FROM run r JOIN owner o ON o.id = r.owner "
      "WHERE "
      "r.status < 2 ORDER BY r.owner, r.id");
  while (q.step()) {
    if (holders.empty() || holders.back().owner.number != q.integer(0)) {
      Owner owner{q.integer(0), q.text(1), q.text(2), q.integer(3), q.integer(4), q.integer(5)};
      const bool lives = peers.lives(owner, now_ms);
      holders.push_back({.owner = std::move(owner), .lives = lives, .run_ids = {}});
    }
    holders.back().run_ids.push_back(q.text(6));
  }
  return holders;
}

void insert_fact(Database& db, RunNumber run, const std::string& type, const std::string& data, std::int64_t now_ms) {
  db.query("INSERT INTO fact(run, at_ms, epoch, type, data) SELECT id, ?, epoch, ?, ? FROM run WHERE id = ?")
      .bind(now_ms)
      .bind(type)
      .bind(data)
      .bind(run)
      .run();
}

}  // namespace store::sqlite
