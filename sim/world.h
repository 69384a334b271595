#pragma once
// One seed's world: processes on a home, clients, faults; then calm, and the promises are checked. The same seed gives the
// same world, step by step.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/clients.h"
#include "sim/process.h"

namespace sim {

class World {
 public:
  // `limbo` is an empty database with the schema, for what dead processes still ask for; it outlives the world.
  World(std::uint64_t seed, store::sqlite::Database& limbo);
  ~World();

  // Lives through it all. False: a promise was broken.
  bool run();

  const Trace& trace() const { return trace_; }
  std::string violation() const { return ledger_.violation(); }
  std::string story() const { return ledger_.story(); }

 private:
  enum class Fault { crash, crash_soon, reboot, stall, jump, disk, stop };

  Surroundings around(std::size_t slot);
  void choose_weather();
  void start(std::size_t slot);
  void restart_later(std::size_t slot);
  Process* pick();
  std::optional<std::size_t> pick_slot();
  void ring(bool control, bool log);

  void fault();
  void do_fault(Fault fault);
  void reboot();
  void stall(std::size_t slot);
  void kill(std::size_t slot, const char* why);
  void reap();
  void calm_down();

  // Runs the world until `done`, at most so long. False: the time is over, or a promise is broken.
  bool live(std::int64_t limit_ms, const std::function<bool()>& done);
  bool step();
  bool run_handler();
  void end();
  void note(const char* what, std::int64_t process = -1, std::int64_t a = 0, std::int64_t b = 0) {
    trace_.note(clock_.steady_ms(), what, process, a, b);
  }

  struct Slot {
    std::unique_ptr<Process> process;
    std::shared_ptr<Life> life;
    std::string host;
    std::int64_t incarnation = 0;
    std::int64_t handlers_left = 0;  // until it is killed; 0: it is not
    const char* doomed = nullptr;    // why
  };

  Clockwork clock_;
  Random random_;
  Trace trace_;
  Home home_;
  Commands commands_{clock_};
  Ledger ledger_;
  store::sqlite::Database& limbo_;
  std::vector<Slot> slots_;
  std::vector<Fault> faults_;  // those of this world
  std::int64_t fault_gap_ms_ = 0, faults_until_ms_ = 0, jumped_back_ms_ = 0;
  std::int64_t boots_ = 1;
  bool calm_ = false, alone_ = false, ending_ = false;
  Clients clients_;
};

}  // namespace sim
