#pragma once
// Who has started whom, who holds what, and what goes on in a home: the reads of status, kill and monitor.
#include <string>
#include <unordered_set>
#include <vector>

#include "store/liveness.h"
#include "store/sqlite/database.h"
#include "store/store.h"

namespace store::sqlite {

std::vector<Run> select_descendants(Database& db, RunNumber root, std::size_t limit);
ChildrenOf select_child_counts(Database& db, RunNumber from, const std::unordered_set<std::string>& parents);
Page<Run> select_overview(Database& db, const OverviewFilter& filter);
std::vector<Holder> select_holders(Database& db, const Peers& peers, std::int64_t now_ms);

// Under the epoch that the run has now.
void insert_fact(Database& db, RunNumber run, const std::string& type, const std::string& data, std::int64_t now_ms);

}  // namespace store::sqlite
