#pragma once
// What a commit that failed leaves behind in SQLite's write-ahead log. Formats: sqlite.org/walformat.html, "WAL-Index Header" and
// "The WAL File Format".
struct sqlite3;

namespace store::sqlite {

// A commit whose sync failed has left a whole transaction behind the end of the log. This process knows that it does not count, but
// one that recovers the log takes it for a commit, builds on it and acknowledges what comes after; and the system does not write
// again what it failed to write, so that a power cut then takes all of that along. Spoils the first frame behind the end, which ends
// the log for whoever reads it. Within a transaction that holds SQLite's write lock. False where it could not be done.
bool spoil_wal_tail(sqlite3* db);

}  // namespace store::sqlite
