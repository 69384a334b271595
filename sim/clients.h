#pragma once
// The people of the world: they launch runs and ask again when they hear nothing, read them from any process, cancel and
// approve them, and tell the ledger what they were told.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/launch.h"
#include "sim/process.h"

namespace sim {

// How clients reach a process that serves; null: none does.
using PickProcess = std::function<Process*()>;

class Clients {
 public:
  Clients(Surroundings around, PickProcess pick) : around_(std::move(around)), pick_(std::move(pick)) {}

  // Wants that many runs, each at some time within `span_ms`.
  void begin(std::int64_t runs, std::int64_t span_ms);
  // Some clients of a process that answers nothing go elsewhere.
  void give_up(const Process& stalled);
  // Asks once more for every run that was launched with a key or an id: the answer must be the same.
  void ask_again();
  // Everything wanted was answered, everything that can end has ended, and every reader has seen it. Else says what lacks.
  std::string unsettled() const;

 private:
  // One question to one process, until it is answered or given up.
  struct Call {
    bool open = true;
  };
  struct Case {
    engine::LaunchRequest request;
    std::uint64_t plan = 0;
    bool asked = false, acknowledged = false, lost = false, approved = true;
    std::string run_id;  // as asked for, or as answered
    store::RunNumber run = 0;
  };
  struct Tail {
    std::size_t of = 0;
    std::uint64_t cursor = 0;
    std::int64_t connection = 0, slot = -1;
    bool done = false;
  };
  struct Hangup;
  struct Connection;

  Case make_case();
  void ask(std::size_t index);
  void retry(std::size_t index);
  void acknowledged(std::size_t index, const store::Launched& launched);
  void connect(std::size_t tail);
  void cancel(std::size_t index, bool again);
  void approve(std::size_t index);
  void take(std::size_t index);
  bool at_rest(const Log& log, const Case& wanted) const;

  aio::Task<> launch(Process& process, std::shared_ptr<Hangup> own);
  aio::Task<> read(Process& process, std::shared_ptr<Connection> own);
  aio::Task<> follow(Process& process, const Connection& own);
  bool show(Tail& tail, const engine::Block& block);
  aio::Task<> cancel_on(Process& process, std::size_t index);
  aio::Task<> approve_on(Process& process, std::size_t index);
  aio::Task<> take_on(Process& process, std::size_t index);

  Surroundings around_;
  PickProcess pick_;
  std::vector<Case> cases_;
  std::vector<Tail> tails_;
};

}  // namespace sim
