#pragma once
// The embedded store: one SQLite file of a home, shared by every process of this machine that opens the home.
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "aio/time.h"
#include "store/liveness.h"
#include "store/store.h"

namespace store {

namespace sqlite {
class Backend;
}

struct SqliteStoreOptions {
  std::string home;  // holds outlast.db, outlast.lock and bell/; made if it is not there (0700)
};

// Errc::unavailable with a message for people: the home cannot be made or written, the database is locked, foreign, newer,
// or the disk is full. `io` and `time` must outlive the store.
base::Result<std::unique_ptr<Store>> open_sqlite_store(boost::asio::io_context& io, aio::Time& time, SqliteStoreOptions options);

// The same store on another backend: the simulation's.
std::unique_ptr<Store> make_sqlite_store(boost::asio::io_context& io, aio::Time& time, Peers peers,
                                         std::unique_ptr<sqlite::Backend> backend);

}  // namespace store
