#include "store/sqlite/home.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "store/durable_directory.h"
#include "store/sqlite/database.h"
#include "store/sqlite/schema.h"
#include "store/write_lock.h"

namespace store::sqlite {

std::error_code prepare_home(const std::string& home) {
  if (const auto ec = make_durable_directory(home)) return ec;
  // A file system that has become read-only lets root do nothing either.
  if (access(home.c_str(), W_OK | X_OK) != 0) return {errno, std::generic_category()};
  std::error_code ec;
  std::filesystem::create_directory(home + "/bell", ec);
  return ec;
}

void prepare_database(const std::string& home) {
  const auto path = home + "/outlast.db";
  if (std::filesystem::exists(path)) {
    Database db(path, OpenMode::read_only);
    if (up_to_date(db)) return;
  }
  // Made or migrated under the lock, so that several first commands at once meet a whole schema.
  WriteLock lock(home + "/outlast.lock");
  const WriteLock::Hold hold(lock);
  Database db(path, OpenMode::read_write);
  migrate(db);
}

}  // namespace store::sqlite
