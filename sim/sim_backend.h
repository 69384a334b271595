#pragma once
// The store's backend of one simulated process: the writer and the readers are steps in virtual time on the shared database.
// Once the process is dead, what its coroutines still ask for happens in a database of nobody's and is rolled back.
#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "aio/notifier.h"
#include "sim/home.h"
#include "sim/ledger.h"
#include "sim/life.h"
#include "sim/trace.h"
#include "store/sqlite/backend.h"
#include "store/sqlite/seal.h"

namespace sim {

// What a backend needs of the world around it; all of it outlives the backend.
struct Surroundings {
  Clockwork& clock;
  Random& random;
  Home& home;
  Ledger& ledger;
  Commands& commands;
  Trace& trace;
  store::sqlite::Database& limbo;                    // for the dead
  std::function<void(std::int64_t block)> ring_log;  // tells every process of a commit
  std::function<void()> ring_control;
  std::function<void(const char* why)> doom;  // this process dies right after the present step
};

class SimBackend final : public store::sqlite::Backend, private store::sqlite::WriteQueue, private store::sqlite::Readers {
 public:
  SimBackend(boost::asio::io_context& io, const base::Clock& time, std::shared_ptr<Life> life, Surroundings around,
             std::int64_t process);

  void listen(std::function<void(const store::sqlite::Commit&)> committed) override { committed_ = std::move(committed); }
  WriteQueue& writes() override { return *this; }
  Readers& reads() override { return *this; }
  void set_owner(store::OwnerNumber owner) override { owner_ = owner; }
  aio::Task<Rung> rung() override;
  std::int64_t last_block_rung() const override { return around_.home.last_block; }
  aio::Task<> close() override;

  const store::OwnerNumber& owner() const { return owner_; }  // 0 until it is registered
  bool holds_runs() const { return group_.holds_runs(); }
  // A ring has come.
  void hear(bool control, bool log);
  // After the process has died: answers everything that waits, so that nobody does.
  void bury();

 private:
  using Batch = std::vector<store::sqlite::Operation>;
  struct Look {
    std::function<void(store::sqlite::Database&)> look;
    std::function<void(std::exception_ptr)> done;
    std::exception_ptr failure = nullptr;
  };

  void submit(store::sqlite::Operation operation) override;
  aio::Task<> run(std::function<void(store::sqlite::Database&)> look) override;
  void start_look(Look look);
  std::int64_t delay();
  void wake_writer(std::int64_t delay_ms);
  void step();
  void commit();
  void spoil(Batch& batch);
  void answer(std::shared_ptr<Batch> batch, std::vector<store::sqlite::Commit> commits);
  void seal_some();
  void in_limbo(Batch& batch);

  boost::asio::io_context& io_;
  const std::shared_ptr<Life> life_;
  Surroundings around_;
  const std::int64_t process_;
  store::sqlite::GroupCommit group_;
  std::function<void(const store::sqlite::Commit&)> committed_;
  store::OwnerNumber owner_ = 0;
  std::deque<store::sqlite::Operation> queue_;
  std::list<std::shared_ptr<Batch>> unanswered_;  // committed, or failed, and not told yet
  std::list<std::shared_ptr<Look>> looks_;
  std::deque<store::sqlite::Unsealed> unsealed_;
  bool step_due_ = false, heartbeat_due_ = false, seal_due_ = false;
  Rung pending_;
  aio::Notifier rung_;
};

}  // namespace sim
