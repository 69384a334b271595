#pragma once
// Connections that only read, each used by one pool thread at a time. Reads are short, so that no open transaction keeps
// the write-ahead log from being restarted.
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aio/offload.h"
#include "store/sqlite/backend.h"
#include "store/sqlite/database.h"
#include "store/sqlite/schema.h"

namespace store::sqlite {

class ReaderPool final : public Readers {
 public:
  explicit ReaderPool(std::string path) : path_(std::move(path)), offload_(kThreads) {}

 private:
  aio::Task<> run(std::function<void(Database&)> look) override {
    auto work = [this, &look]() {
      const Loan loan(*this);
      look(*loan.database);
    };
    co_await offload_.run(work);
  }

  static constexpr std::size_t kThreads = 2;

  struct Loan {
    explicit Loan(ReaderPool& owner) : pool(owner), database(owner.take()) {}
    ~Loan() { pool.give_back(std::move(database)); }
    ReaderPool& pool;
    std::unique_ptr<Database> database;
  };

  std::unique_ptr<Database> take() {
    {
      const std::lock_guard hold(mutex_);
      if (!idle_.empty()) {
        auto database = std::move(idle_.back());
        idle_.pop_back();
        return database;
      }
    }
    return std::make_unique<Database>(path_, OpenMode::read_only);
  }
  void give_back(std::unique_ptr<Database> database) {
    const std::lock_guard hold(mutex_);
    idle_.push_back(std::move(database));
  }

  const std::string path_;
  std::mutex mutex_;                             // protects idle_
  std::vector<std::unique_ptr<Database>> idle_;
  aio::Offload offload_;                         // last: joined before the connections go
};

}  // namespace store::sqlite
