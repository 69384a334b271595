#include "store/sqlite/assignments.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/limits.h"

namespace store {

namespace {
constexpr std::array<std::string_view, 3> kStatuses = {"backlog", "in-progress", "done"};
}

std::string_view name(AssignmentStatus status) { return kStatuses[static_cast<std::size_t>(status)]; }

std::optional<AssignmentStatus> parse_assignment_status(std::string_view name) {
  for (std::size_t i = 0; i < kStatuses.size(); ++i)
    if (name == kStatuses[i]) return static_cast<AssignmentStatus>(i);
  return std::nullopt;
}

}  // namespace store

namespace store::sqlite {

namespace json = boost::json;

namespace {

constexpr std::size_t kCandidates = 5;
constexpr std::size_t kListedAtOnce = 2'000;  // room that costs nothing where it is not used

#define OUTLAST_ASSIGNMENT_COLUMNS "id, version, slug, alias, status, project, session_id, archived, created_ms, updated_ms, fields"

std::int64_t rank(std::string_view priority) { return priority == "high" ? 0 : priority == "low" ? 2 : 1; }

std::string encode_fields(const Assignment& a) {
  json::object o{{"name", a.name}, {"priority", a.priority}, {"work_dir", a.work_dir}, {"brief", a.brief}, {"starts", a.starts}};
  const auto text = [&o](std::string_view key, const std::string& value) {
    if (!value.empty()) o[key] = value;
  };
  text("due", a.due);
  text("assignee", a.assignee);
  text("waiting_on", a.waiting_on);
  text("repository", a.repository);
  text("check", a.check);
  text("notify", a.notify);
  text("harness", a.harness);
  text("run_id", a.run_id);
  if (!a.tags.empty()) o["tags"] = json::array(a.tags.begin(), a.tags.end());
  if (a.background) o["background"] = true;
  if (a.unattended) o["unattended"] = true;
  if (a.session_started_ms) o["session_started_ms"] = a.session_started_ms;
  if (a.session_resumed_ms) o["session_resumed_ms"] = a.session_resumed_ms;
  return base::to_text(o);
}

Assignment read_assignment(const Query& row) {
  Assignment a;
  a.number = row.integer(0);
  a.version = row.integer(1);
  a.slug = row.text(2);
  a.alias = row.text(3);
  a.status = static_cast<AssignmentStatus>(std::clamp<std::int64_t>(row.integer(4), 0, kStatuses.size() - 1));
  a.project = row.text(5);
  a.session_id = row.text(6);
  a.archived = row.integer(7) != 0;
  a.created_ms = row.integer(8);
  a.updated_ms = row.integer(9);
  const auto value = base::parse_json(row.bytes(10));
  const auto* o = value ? value->if_object() : nullptr;
  if (!o) throw Damaged("the fields of task '" + a.slug + "' are no object");
  a.name = base::text_or_empty(*o, "name");
  a.priority = base::text_or_empty(*o, "priority");
  a.due = base::text_or_empty(*o, "due");
  a.assignee = base::text_or_empty(*o, "assignee");
  a.waiting_on = base::text_or_empty(*o, "waiting_on");
  a.work_dir = base::text_or_empty(*o, "work_dir");
  a.brief = base::text_or_empty(*o, "brief");
  a.repository = base::text_or_empty(*o, "repository");
  a.check = base::text_or_empty(*o, "check");
  a.notify = base::text_or_empty(*o, "notify");
  a.harness = base::text_or_empty(*o, "harness");
  a.run_id = base::text_or_empty(*o, "run_id");
  a.starts = base::int_or_zero(*o, "starts");
  a.background = base::bool_field(*o, "background").value_or(false);
  a.unattended = base::bool_field(*o, "unattended").value_or(false);
  a.session_started_ms = base::int_or_zero(*o, "session_started_ms");
  a.session_resumed_ms = base::int_or_zero(*o, "session_resumed_ms");
  if (const auto* tags = base::array_field(*o, "tags"))
    for (const auto& tag : *tags)
      if (tag.is_string()) a.tags.emplace_back(tag.get_string());
  return a;
}

void insert_entry(Database& db, AssignmentNumber number, const AssignmentEntry& entry, std::int64_t now_ms) {
  db.query("INSERT INTO assignment_entry(assignment, at_ms, type, data) VALUES(?, ?, ?, ?)")
      .bind(number)
      .bind(entry.at_ms ? entry.at_ms : now_ms)
      .bind(entry.type)
      .bind(entry.data)
      .run();
}

// Whether another one has the word as its slug or alias.
bool is_taken(Database& db, const std::string& word, AssignmentNumber except) {
  if (word.empty()) return false;
  auto q = db.query("SELECT 1 FROM assignment WHERE (slug = ?1 OR (alias = ?1 AND alias <> '')) AND id <> ?2");
  q.bind(word).bind(except);
  return q.step();
}

base::Result<Assignment> by_number(Database& db, AssignmentNumber number) {
  auto q = db.query("SELECT " OUTLAST_ASSIGNMENT_COLUMNS " FROM assignment WHERE id = ?");
  q.bind(number);
  if (!q.step()) return base::fail(base::Errc::not_found, "the task was removed");
  return read_assignment(q);
}

// Wanted by the filter, besides what the query has looked at.
bool fits(const Assignment& a, const AssignmentFilter& filter) {
  if (!filter.priority.empty() && a.priority != filter.priority) return false;
  return std::ranges::all_of(filter.tags, [&a](const std::string& tag) { return std::ranges::find(a.tags, tag) != a.tags.end(); });
}

}  // namespace

base::Result<Assignment> insert_assignment(Database& db, const Assignment& a, std::int64_t now_ms) {
  for (const auto& word : {a.slug, a.alias})
    if (is_taken(db, word, 0)) return base::fail(base::Errc::conflict, "a task is named '" + word + "' already");
  db.query(
        "INSERT INTO assignment(version, slug, alias, status, priority, project, session_id, archived, created_ms, updated_ms, fields) "
        "VALUES(1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(a.slug)
      .bind(a.alias)
      .bind(static_cast<std::int64_t>(a.status))
      .bind(rank(a.priority))
      .bind(a.project)
      .bind(a.session_id)
      .bind(std::int64_t{a.archived})
      .bind(now_ms)
      .bind(now_ms)
      .bind(encode_fields(a))
      .run();
  const auto number = db.last_insert_id();
  insert_entry(db, number, {.type = "created", .data = base::to_text(json::object{{"name", a.name}})}, now_ms);
  return by_number(db, number);
}

base::Result<Assignment> update_assignment(Database& db, const Assignment& a, const std::vector<AssignmentEntry>& entries, std::int64_t now_ms) {
  if (is_taken(db, a.alias, a.number)) return base::fail(base::Errc::conflict, "a task is named '" + a.alias + "' already");
  const auto fields = encode_fields(a);
  db.query(
        "UPDATE assignment SET version = version + 1, alias = ?3, status = ?4, priority = ?5, project = ?6, session_id = ?7, archived = ?8, "
        "updated_ms = ?9, fields = ?10 WHERE id = ?1 AND version = ?2")
      .bind(a.number)
      .bind(a.version)
      .bind(a.alias)
      .bind(static_cast<std::int64_t>(a.status))
      .bind(rank(a.priority))
      .bind(a.project)
      .bind(a.session_id)
      .bind(std::int64_t{a.archived})
      .bind(now_ms)
      .bind(fields)
      .run();
  if (db.changes() == 0) {
    if (auto present = by_number(db, a.number); !present) return present;
    return base::fail(base::Errc::conflict, "task '" + a.slug + "' was changed meanwhile");
  }
  for (const auto& entry : entries) insert_entry(db, a.number, entry, now_ms);
  return by_number(db, a.number);
}

base::Result<Assignment> select_assignment(Database& db, const std::string& which) {
  auto exact = db.query("SELECT " OUTLAST_ASSIGNMENT_COLUMNS
                        " FROM assignment WHERE (alias = ?1 AND alias <> '' AND archived = 0) OR slug = ?1 ORDER BY alias = ?1 DESC LIMIT 1");
  exact.bind(which);
  if (!which.empty() && exact.step()) return read_assignment(exact);
  auto q = db.query("SELECT " OUTLAST_ASSIGNMENT_COLUMNS
                    " FROM assignment WHERE slug >= ?1 AND slug < ?1 || char(1114111) AND archived = 0 ORDER BY slug LIMIT 6");
  q.bind(which);
  std::vector<Assignment> found;
  while (!which.empty() && q.step()) found.push_back(read_assignment(q));
  if (found.empty()) return base::fail(base::Errc::not_found, "no task '" + which + "'");
  if (found.size() == 1) return std::move(found.front());
  std::string names;
  for (std::size_t i = 0; i < std::min(found.size(), kCandidates); ++i) names += (i ? ", " : "") + found[i].slug;
  return base::fail(base::Errc::ambiguous, "'" + which + "' begins the names of several tasks: " + names + (found.size() > kCandidates ? ", ..." : ""));
}

base::Result<Assignment> select_assignment_of(Database& db, const std::string& session_id) {
  auto q = db.query("SELECT " OUTLAST_ASSIGNMENT_COLUMNS " FROM assignment WHERE session_id = ? AND session_id <> '' ORDER BY updated_ms DESC LIMIT 1");
  q.bind(session_id);
  if (!q.step()) return base::fail(base::Errc::not_found, "no task is bound to session " + session_id);
  return read_assignment(q);
}

std::vector<Assignment> select_assignments(Database& db, const AssignmentFilter& filter) {
  auto q = db.query("SELECT " OUTLAST_ASSIGNMENT_COLUMNS
                    " FROM assignment WHERE (?1 < 0 OR status = ?1) AND (?2 OR archived = 0) AND (?3 OR status <> 2) "
                    "AND (?4 = '' OR project = ?4) AND updated_ms >= ?5 ORDER BY priority, updated_ms DESC, id DESC");
  q.bind(filter.status ? static_cast<std::int64_t>(*filter.status) : -1)
      .bind(std::int64_t{filter.include_archived})
      .bind(std::int64_t{filter.include_done || filter.status.has_value()})
      .bind(filter.project)
      .bind(filter.updated_since_ms);
  std::vector<Assignment> found;
  found.reserve(kListedAtOnce);
  while (found.size() < base::limits::kAssignmentsListedMax && q.step())
    if (auto one = read_assignment(q); fits(one, filter)) found.push_back(std::move(one));
  return found;
}

std::vector<AssignmentEntry> select_assignment_entries(Database& db, AssignmentNumber number) {
  auto q = db.query("SELECT at_ms, type, data FROM assignment_entry WHERE assignment = ? ORDER BY id");
  q.bind(number);
  std::vector<AssignmentEntry> found;
  while (q.step()) found.push_back({q.integer(0), q.text(1), q.text(2)});
  return found;
}

}  // namespace store::sqlite
