#include "store/sqlite/checkpoint.h"

#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace store::sqlite {

void checkpoint_beside_writers(Database& db, Database& pin) {
  pin.query("BEGIN").run();
  pin.query("SELECT 1 FROM sqlite_master").run();  // the snapshot begins with the first look
  db.checkpoint_passive();
  pin.query("COMMIT").run();
}

Checkpointer::Checkpointer(std::string path) : path_(std::move(path)), thread_([this] { loop(); }) {}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard hold(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Checkpointer::request() {
  {
    const std::lock_guard hold(mutex_);
    due_ = true;
  }
  wake_.notify_one();
}

void Checkpointer::loop() {
  for (;;) {
    {
      std::unique_lock hold(mutex_);
      wake_.wait(hold, [this] { return closing_ || due_; });
      if (closing_) return;
      due_ = false;
    }
    checkpoint();
  }
}

void Checkpointer::checkpoint() {
  try {
    if (!db_) db_ = std::make_unique<Database>(path_, OpenMode::read_write);
    if (!pin_) pin_ = std::make_unique<Database>(path_, OpenMode::read_only);
    checkpoint_beside_writers(*db_, *pin_);
    failing_ = false;
  } catch (const base::Broken& error) {
    // Nothing is lost: the log is kept until a checkpoint succeeds. The next request tries again.
    if (!std::exchange(failing_, true))
      base::log::warning("the write-ahead log could not be moved into the database", {{"reason", error.what()}});
    pin_.reset();
    db_.reset();
  }
}

}  // namespace store::sqlite
