#pragma once
// The tables, as numbered forward migrations (docs/formats/store.md). An old file is brought up to date when it is opened;
// a newer or foreign one is refused.
#include "store/sqlite/database.h"

namespace store::sqlite {

inline constexpr int kSchemaVersion = 6;

// Whether the file needs no migration. Throws base::Broken for a file that is no database.
bool up_to_date(Database& db);

// Takes the write lock only when there is something to migrate. Throws base::Broken with a message for people.
void migrate(Database& db);

}  // namespace store::sqlite
