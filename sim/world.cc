#include "sim/world.h"

#include <algorithm>

#include "base/error.h"

namespace sim {

namespace {

constexpr std::int64_t kSettleMs = 240'000;  // after the faults: every run has ended by then
constexpr std::int64_t kAnswerMs = 3'000;    // a launch that is asked for again is answered by then
constexpr std::int64_t kStopMs = 60'000;     // a graceful end of a process that has nothing left to do
constexpr std::int64_t kHandlersMax = 20'000'000;

}  // namespace

World::World(std::uint64_t seed, store::sqlite::Database& limbo)
    : random_(seed), ledger_(trace_, clock_, commands_), limbo_(limbo), clients_(around(0), [this] { return pick(); }) {
  trace_.counts.seeds = 1;
}

World::~World() = default;

Surroundings World::around(std::size_t slot) {
  return {.clock = clock_,
          .random = random_,
          .home = home_,
          .ledger = ledger_,
          .commands = commands_,
          .trace = trace_,
          .limbo = limbo_,
          .ring_log =
              [this](std::int64_t block) {
                home_.last_block = block;
                ring(false, true);
              },
          .ring_control = [this] { ring(true, false); },
          .doom =
              [this, slot](const char* why) {
                slots_[slot].life->end();
                slots_[slot].doomed = why;
              }};
}

// A bell wakes every process that watches, also the one that rang; now and then late, or not at all.
void World::ring(bool control, bool log) {
  for (auto& slot : slots_) {
    if (!slot.process) continue;
    ++trace_.counts.rings;
    if (random_.chance(home_.weather.bell_lost)) {
      ++trace_.counts.lost_doorbells;
      continue;
    }
    const auto delay = random_.chance(30) ? random_.between(10, 3'000) : random_.below(3);
    slot.life->after(delay, [process = slot.process.get(), control, log] { process->backend().hear(control, log); });
  }
}

// --- processes -------------------------------------------------------------------------------------------------------

void World::start(std::size_t index) {
  auto& slot = slots_[index];
  if (slot.process) return;
  ++slot.incarnation;
  slot.life = std::make_shared<Life>(clock_);
  slot.doomed = nullptr;
  slot.handlers_left = 0;
  home_.processes[{slot.host, 100 + static_cast<std::int64_t>(index)}] = slot.incarnation;
  note("starts", static_cast<std::int64_t>(index), slot.incarnation);
  const Identity identity{.slot = static_cast<std::int64_t>(index),
                          .incarnation = slot.incarnation,
                          .host = slot.host,
                          .able = calm_ || !random_.chance(50)};
  slot.process = std::make_unique<Process>(around(index), identity, slot.life, calm_);
}

void World::restart_later(std::size_t index) {
  const auto stays_away = [this, index] { return ending_ || (alone_ && index > 0); };
  if (stays_away()) return;
  ++trace_.counts.restarts;
  clock_.after(random_.chance(300) ? 0 : random_.below(6'000), [this, index, stays_away] {
    if (!stays_away()) start(index);
  });
}

Process* World::pick() {
  const auto slot = pick_slot();
  return slot && slots_[*slot].process->serving() ? slots_[*slot].process.get() : nullptr;
}

// Any process that is there; a stalled one may be asked too, and answers late.
std::optional<std::size_t> World::pick_slot() {
  std::vector<std::size_t> there;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].process && !slots_[i].life->dead()) there.push_back(i);
  if (there.empty()) return std::nullopt;
  return there[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(there.size())))];
}

// --- faults ----------------------------------------------------------------------------------------------------------

// Each world has some kinds of faults and not others: what many of one kind do is found, and so is what they do together.
void World::choose_weather() {
  static constexpr Fault kAll[] = {Fault::crash, Fault::crash_soon, Fault::reboot, Fault::stall,
                                   Fault::jump,  Fault::disk,       Fault::stop};
  for (const auto fault : kAll)
    if (random_.chance(500)) faults_.push_back(fault);
  fault_gap_ms_ = random_.between(300, 6'000);
  faults_until_ms_ = random_.between(3'000, 25'000);
  auto& weather = home_.weather;
  if (random_.chance(600)) weather.bell_lost = random_.chance(150) ? 1'000 : random_.below(500);
  if (random_.chance(400)) weather.slow = random_.below(100);
  if (random_.chance(300)) weather.crash_at_commit = random_.between(1, 25);
  ledger_.excuse_all = home_.reads_fail = random_.chance(250);
  const bool several_hosts = random_.chance(250);
  slots_.resize(static_cast<std::size_t>(random_.between(1, 4)));
  for (auto& slot : slots_) slot.host = several_hosts && random_.chance(500) ? "elsewhere" : "here";
}

void World::fault() {
  if (clock_.steady_ms() >= faults_until_ms_) return;
  clock_.after(random_.between(1, 2 * fault_gap_ms_), [this] { fault(); });
  if (faults_.empty()) return;
  do_fault(faults_[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(faults_.size())))]);
}

void World::do_fault(Fault fault) {
  const auto slot = pick_slot();
  if (fault == Fault::jump) {
    const auto far = random_.chance(200) ? 600'000 : 8'000;
    const auto by = random_.between(-far, far);
    if (by < 0) jumped_back_ms_ -= by;
    clock_.jump_wall(by);
    ++trace_.counts.clock_jumps;
    note("wall clock jumps", -1, by);
  } else if (fault == Fault::disk) {
    home_.disk_broken = random_.chance(500) ? 1'000 : random_.between(50, 900);
    home_.disk_broken_until_ms = clock_.steady_ms() + random_.between(50, 9'000);
    note("disk breaks", -1, home_.disk_broken, home_.disk_broken_until_ms);
  } else if (fault == Fault::reboot) {
    reboot();
  } else if (slot && fault == Fault::crash) {
    around(*slot).doom("is killed");
  } else if (slot && fault == Fault::crash_soon) {
    slots_[*slot].handlers_left = random_.between(1, 60);
  } else if (slot && fault == Fault::stall) {
    stall(*slot);
  } else if (slot && fault == Fault::stop && slots_[*slot].process->serving()) {
    note("stops", static_cast<std::int64_t>(*slot));
    ++trace_.counts.stops;
    slots_[*slot].process->stop(random_.chance(500) ? 0 : random_.below(4'000));
  }
}

// Every process dies at once, and pids begin anew.
void World::reboot() {
  if (!random_.chance(200)) return;
  home_.boot_id = "boot-" + std::to_string(++boots_);
  commands_.lose_all();
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].process) around(i).doom("dies with the machine");
}

void World::stall(std::size_t index) {
  auto& slot = slots_[index];
  if (slot.life->stalled()) return;
  const auto ms = random_.chance(300) ? random_.between(50, 2'000) : random_.between(2'000, 15'000);
  note("stalls", static_cast<std::int64_t>(index), ms);
  ++trace_.counts.stalls;
  slot.life->stall();
  clients_.give_up(*slot.process);
  clock_.after(ms, [this, index, life = slot.life] {
    if (life->dead()) return;
    note("goes on", static_cast<std::int64_t>(index));
    life->resume();
  });
}

// Buries who died in the last step, and lets go who has ended gracefully.
void World::reap() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    auto& slot = slots_[i];
    if (!slot.process) continue;
    if (slot.doomed)
      kill(i, slot.doomed);
    else if (slot.process->leaving() && slot.process->gone()) {
      note("has stopped", static_cast<std::int64_t>(i));
      slot.life->end();
      home_.processes.erase({slot.host, 100 + static_cast<std::int64_t>(i)});
      slot.process.reset();
      restart_later(i);
    }
  }
}

void World::kill(std::size_t index, const char* why) {
  auto& slot = slots_[index];
  ++trace_.counts.crashes;
  note(why, static_cast<std::int64_t>(index));
  home_.processes.erase({slot.host, 100 + static_cast<std::int64_t>(index)});
  slot.process->bury();
  slot.process.reset();
  restart_later(index);
}

void World::calm_down() {
  calm_ = true;
  note("calm");
  home_.disk_broken_until_ms = 0;
  home_.weather.crash_at_commit = 0;
  for (auto& slot : slots_) {
    slot.handlers_left = 0;
    if (slot.process && slot.life->stalled()) slot.life->resume();
  }
  // Often a single process must do all that is left.
  alone_ = random_.chance(500);
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].process && ((alone_ && i > 0) || !slots_[i].process->identity().able)) around(i).doom("is killed for good");
  reap();
  start(0);
}

// --- living ----------------------------------------------------------------------------------------------------------

bool World::run_handler() {
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].process && slots_[i].life->ready()) ready.push_back(i);
  if (ready.empty()) return false;
  const auto index = ready[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(ready.size())))];
  auto& slot = slots_[index];
  if (!slot.process->run_one()) {
    slot.life->set_ready(false);
    return true;
  }
  ++trace_.counts.handlers;
  if (slot.handlers_left && --slot.handlers_left == 0) around(index).doom("is killed between two handlers");
  return true;
}

bool World::step() {
  if (!run_handler()) {
    if (clock_.empty()) return false;
    clock_.advance();
  }
  reap();
  return true;
}

bool World::live(std::int64_t limit_ms, const std::function<bool()>& done) {
  const auto end = clock_.steady_ms() + limit_ms;
  while (!ledger_.violated()) {
    if (done()) return true;
    if (clock_.steady_ms() >= end || !step()) return false;
    if (trace_.counts.handlers > kHandlersMax) ledger_.violate("P5", "the world does not come to rest");
  }
  return false;
}

bool World::run() {
  choose_weather();
  for (std::size_t i = 0; i < slots_.size(); ++i) start(i);
  clients_.begin(random_.between(1, 7), random_.between(1, faults_until_ms_));
  clock_.after(random_.below(fault_gap_ms_), [this] { fault(); });
  live(faults_until_ms_, [] { return false; });
  calm_down();
  std::int64_t look_at_ms = 0;
  const auto settled = [this, &look_at_ms] {
    if (clock_.steady_ms() < look_at_ms) return false;
    look_at_ms = clock_.steady_ms() + 250;
    return clients_.unsettled().empty();
  };
  if (!live(kSettleMs + jumped_back_ms_, settled)) ledger_.violate("P5", clients_.unsettled());
  if (!ledger_.violated()) end();
  trace_.counts.virtual_ms = clock_.steady_ms();
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].process) around(i).doom("ends with the world");
  ending_ = true;
  for (auto& slot : slots_)
    if (slot.process) {
      slot.process->bury();
      slot.process.reset();
    }
  return !ledger_.violated();
}

void World::end() {
  // The last one may just be on its way back.
  if (!live(kStopMs, [this] { return pick() != nullptr; })) return ledger_.violate("P5", "no process serves");
  ending_ = true;
  clients_.ask_again();
  const auto at = clock_.steady_ms();
  // An attempt that lost its run finds out when it next has something to say.
  const auto idle = [this, at] {
    return clock_.steady_ms() >= at + kAnswerMs && std::ranges::all_of(slots_, [](const Slot& slot) {
             return !slot.process || (slot.process->executor().executing() == 0 && !slot.process->backend().holds_runs());
           });
  };
  if (!live(kSettleMs, idle))
    ledger_.violate("P5", "a process executes something, or renews a lease, though every run has ended");
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    auto& process = slots_[i].process;
    if (!process) continue;
    if (process->serving()) process->stop(0);
  }
  const auto all_gone = [this] { return std::ranges::none_of(slots_, [](const Slot& slot) { return slot.process != nullptr; }); };
  if (!live(kStopMs, all_gone)) ledger_.violate("P5", "a process does not stop");
  ledger_.look_at_all(home_.database());
}

}  // namespace sim
