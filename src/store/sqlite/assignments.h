#pragma once
// Named tasks and their history; see run_writes.h for how the writes run.
#include <string>
#include <vector>

#include "base/error.h"
#include "store/assignment.h"
#include "store/sqlite/database.h"

namespace store::sqlite {

base::Result<Assignment> insert_assignment(Database& db, const Assignment& assignment, std::int64_t now_ms);
base::Result<Assignment> update_assignment(Database& db, const Assignment& changed, const std::vector<AssignmentEntry>& entries,
                                           std::int64_t now_ms);

base::Result<Assignment> select_assignment(Database& db, const std::string& which);
base::Result<Assignment> select_assignment_of(Database& db, const std::string& session_id);
std::vector<Assignment> select_assignments(Database& db, const AssignmentFilter& filter);
std::vector<AssignmentEntry> select_assignment_entries(Database& db, AssignmentNumber number);

}  // namespace store::sqlite
