#include "sim/home.h"

#include "store/sqlite/schema.h"

namespace sim {

Home::Home() : database_(":memory:", store::sqlite::OpenMode::read_write) {
  store::sqlite::migrate(database_);
  // A row that breaks a deferred foreign key makes the COMMIT itself fail, as a full disk may. The store's own tables have none.
  database_.execute(
      "PRAGMA foreign_keys=ON; CREATE TABLE sim_disk(id INTEGER PRIMARY KEY);"
      "CREATE TABLE sim_broken(disk INTEGER REFERENCES sim_disk(id) DEFERRABLE INITIALLY DEFERRED);");
}

void Home::spoil_commit() { database_.query("INSERT INTO sim_broken VALUES(1)").run(); }

}  // namespace sim
