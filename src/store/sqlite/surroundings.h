#pragma once
// What a model is told besides the log of its run.
#include <optional>
#include <vector>

#include "store/sqlite/database.h"
#include "store/types.h"

namespace store::sqlite {

std::vector<Notice> select_notices(Database& db, SessionNumber session);
Surroundings select_surroundings(Database& db, SessionNumber session, const std::optional<MemoryFilter>& memory);

}  // namespace store::sqlite
