#include "sim/clients.h"

#include "base/error.h"
#include "run/event.h"

namespace sim {

namespace {

constexpr std::int64_t kRetryMs = 100;

bool ends_run(std::string_view line) {
  return line.starts_with(R"({"type":"run_completed")") || line.starts_with(R"({"type":"run_error")");
}

}  // namespace

// A question whose process died, or that was cut, is asked again.
struct Clients::Hangup {
  Hangup(Clients& clients_, std::shared_ptr<Call> call_, std::size_t index_)
      : clients(clients_), call(std::move(call_)), index(index_) {}
  ~Hangup() {
    if (std::exchange(call->open, false)) clients.retry(index);
  }
  Hangup(const Hangup&) = delete;
  Hangup& operator=(const Hangup&) = delete;
  Clients& clients;
  std::shared_ptr<Call> call;
  std::size_t index;
};

// A reader that is cut off before the end comes back. Belongs to the task's arguments: a task may end before it begins.
struct Clients::Connection {
  Connection(Clients& clients_, std::size_t tail_, std::int64_t number_) : clients(clients_), tail(tail_), number(number_) {}
  ~Connection() {
    const auto& t = clients.tails_[tail];
    if (t.connection != number || t.done) return;
    clients.around_.clock.after(clients.around_.random.below(500), [c = &clients, t = tail] { c->connect(t); });
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Clients& clients;
  std::size_t tail;
  std::int64_t number;
};

// --- launching -------------------------------------------------------------------------------------------------------

Clients::Case Clients::make_case() {
  auto& random = around_.random;
  Case wanted;
  wanted.plan = random.next() >> 2;
  auto& request = wanted.request;
  request.spec = {.input = plan_input(wanted.plan), .provider = "sim", .model = "m", .work_directory = "/"};
  request.spec.tools = {{"look"}, {"pay"}, {"run"}, {"ask", run::Gate::approve}};
  if (random.chance(120)) request.spec.limits.timeout_ms = random.between(500, 20'000);
  if (random.chance(50)) request.spec.limits.turns = random.between(1, 3);
  request.component_id = request.component_name = "main";
  request.session_id = "session-" + std::to_string(random.below(3));
  request.request_digest = std::to_string(wanted.plan);
  const auto name = std::to_string(cases_.size());
  if (random.chance(800)) request.launch_key = "key-" + name;
  if (random.chance(300)) wanted.run_id = request.run_id = "case-" + name;
  wanted.approved = random.chance(850);
  return wanted;
}

void Clients::begin(std::int64_t runs, std::int64_t span_ms) {
  auto& random = around_.random;
  for (std::int64_t i = 0; i < runs; ++i) {
    const auto index = cases_.size();
    cases_.push_back(make_case());
    const auto at = random.below(span_ms);
    around_.clock.after(at, [this, index] { ask(index); });
    if (!cases_[index].run_id.empty() && random.chance(250))
      around_.clock.after(random.chance(300) ? random.below(at + 1) : at + random.below(3'000),
                          [this, index] { cancel(index, true); });
  }
}

void Clients::retry(std::size_t index) {
  auto& wanted = cases_[index];
  if (wanted.acknowledged) return;
  if (wanted.request.launch_key.empty() && wanted.request.run_id.empty()) {
    wanted.lost = true;  // it may exist or not; nobody can know
    return;
  }
  ++around_.trace.counts.repeated_launches;
  around_.clock.after(around_.random.below(1'000), [this, index] { ask(index); });
}

void Clients::ask(std::size_t index) {
  auto* const process = pick_();
  if (!process) {
    around_.clock.after(kRetryMs, [this, index] { ask(index); });
    return;
  }
  ++around_.trace.counts.launches;
  cases_[index].asked = true;
  auto call = std::make_shared<Call>();
  process->serve("launch", launch(*process, std::make_shared<Hangup>(*this, call, index)));
  around_.clock.after(around_.random.between(2'000, 12'000), [this, call, index] {
    if (std::exchange(call->open, false)) retry(index);
  });
}

aio::Task<> Clients::launch(Process& process, std::shared_ptr<Hangup> own) {
  const auto& call = own->call;
  const auto index = own->index;
  try {
    auto request = cases_[index].request;
    const auto launched = co_await process.executor().launch(std::move(request));
    // The answer may be lost on its way, and a client may have given up.
    if (process.life().dead() || !call->open || around_.random.chance(50)) co_return;
    call->open = false;
    acknowledged(index, launched);
  } catch (const base::Broken&) {
    // Told to the client as a failure: it asks again.
  }
}

void Clients::acknowledged(std::size_t index, const store::Launched& launched) {
  auto& wanted = cases_[index];
  auto& random = around_.random;
  around_.trace.note(around_.clock.steady_ms(), "acknowledged", -1, launched.run.number);
  around_.ledger.acknowledged(launched.run, wanted.request.launch_key);
  if (launched.known != store::Known::fresh && launched.known != store::Known::retry)
    around_.ledger.violate("P1", "run " + launched.run.run_id + " is another request's");
  if (!wanted.run_id.empty() && wanted.run_id != launched.run.run_id)
    around_.ledger.violate("P1",
                           "case " + std::to_string(index) + " is run " + wanted.run_id + " and also " + launched.run.run_id);
  wanted.run_id = launched.run.run_id;
  wanted.run = launched.run.number;
  if (std::exchange(wanted.acknowledged, true)) return;
  for (auto readers = random.below(4); readers > 0; --readers) {
    tails_.push_back({.of = index});
    around_.clock.after(random.below(2'000), [this, tail = tails_.size() - 1] { connect(tail); });
  }
  if (random.chance(250)) around_.clock.after(random.below(6'000), [this, index] { cancel(index, true); });
  if (random.chance(80)) around_.clock.after(random.below(5'000), [this, index] { take(index); });
  if (wanted.approved) around_.clock.after(random.between(200, 1'500), [this, index] { approve(index); });
}

void Clients::ask_again() {
  for (std::size_t index = 0; index < cases_.size(); ++index)
    if (cases_[index].acknowledged && !(cases_[index].request.launch_key.empty() && cases_[index].request.run_id.empty()))
      ask(index);
}

// --- reading ---------------------------------------------------------------------------------------------------------

void Clients::connect(std::size_t tail) {
  auto* const process = pick_();
  if (!process) {
    around_.clock.after(kRetryMs, [this, tail] { connect(tail); });
    return;
  }
  ++around_.trace.counts.reader_tails;
  around_.trace.note(around_.clock.steady_ms(), "reader connects", process->identity().slot, static_cast<std::int64_t>(tail),
                     tails_[tail].connection + 1);
  tails_[tail].slot = process->identity().slot;
  process->serve("read", read(*process, std::make_shared<Connection>(*this, tail, ++tails_[tail].connection)));
}

aio::Task<> Clients::read(Process& process, std::shared_ptr<Connection> own) {
  try {
    co_await follow(process, *own);
  } catch (const base::Broken&) {
    // The connection is cut; the reader comes back.
  }
}

aio::Task<> Clients::follow(Process& process, const Connection& own) {
  const auto tail = own.tail;
  const auto connection = own.number;
  engine::LiveLogs::Reader reader(process.logs(), cases_[tails_[tail].of].run);
  while (!process.life().dead()) {
    const auto cursor = tails_[tail].cursor;
    const auto block = co_await reader.read(cursor);
    if (process.life().dead() || tails_[tail].connection != connection) co_return;
    if (block) {
      if (!show(tails_[tail], *block)) co_return;
      continue;
    }
    if (reader.lost())
      around_.ledger.violate("P3", "a reader at " + std::to_string(cursor) + " was told that what it waits for was removed");
    if (around_.random.chance(900))
      co_await reader.wait(cursor);
    else
      co_await reader.wait(cursor, std::chrono::milliseconds(around_.random.between(1, 3'000)));
    if (tails_[tail].connection != connection) co_return;
  }
}

// False: the reader has seen the end, or hangs up.
bool Clients::show(Tail& tail, const engine::Block& block) {
  const auto run = cases_[tail.of].run;
  if (block.slice.first > tail.cursor || block.slice.end() <= tail.cursor)
    around_.ledger.violate(
        "P3", "a reader at " + std::to_string(tail.cursor) + " was given a block from " + std::to_string(block.slice.first));
  std::string_view rest = *block.slice.lines;
  for (auto index = block.slice.first; index < block.slice.end(); ++index) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    around_.ledger.shown(run, index, line);
    if (ends_run(line)) tail.done = true;
  }
  tail.cursor = block.slice.end();
  return !tail.done && !around_.random.chance(30);
}

void Clients::give_up(const Process& stalled) {
  for (std::size_t tail = 0; tail < tails_.size(); ++tail) {
    if (tails_[tail].slot != stalled.identity().slot || tails_[tail].done || around_.random.chance(500)) continue;
    ++tails_[tail].connection;
    around_.clock.after(around_.random.below(1'000), [this, tail] { connect(tail); });
  }
}

// --- deciding --------------------------------------------------------------------------------------------------------

void Clients::cancel(std::size_t index, bool again) {
  auto* const process = pick_();
  if (process) process->serve("cancel", cancel_on(*process, index));
  if (!process || (again && around_.random.chance(300))) around_.clock.after(kRetryMs, [this, index] { cancel(index, false); });
}

aio::Task<> Clients::cancel_on(Process& process, std::size_t index) {
  const auto run_id = cases_[index].run_id;
  try {
    const auto answer = co_await process.executor().cancel(run_id);
    if (process.life().dead()) co_return;
    around_.trace.note(around_.clock.steady_ms(), "cancel answered", process.identity().slot, static_cast<std::int64_t>(index),
                       static_cast<std::int64_t>(answer.outcome));
    if (answer.outcome != store::CancelOutcome::already_finished) {
      ++(answer.outcome == store::CancelOutcome::accepted ? around_.trace.counts.cancels : around_.trace.counts.intents);
      around_.ledger.cancel_bound(run_id);
    } else if (const auto* log = around_.ledger.find(cases_[index].run); log && !log->ended) {
      around_.ledger.violate("P9", "a cancel of run " + run_id + " was told that it has ended, which it has not");
    }
  } catch (const base::Broken&) {
    // Told to the client as a failure; it may have come through or not.
  }
}

void Clients::approve(std::size_t index) {
  const auto* log = around_.ledger.find(cases_[index].run);
  if (log && log->ended) return;
  around_.clock.after(around_.random.between(100, 1'500), [this, index] { approve(index); });
  if (!log || log->status != run::Status::paused) return;
  if (auto* const process = pick_()) process->serve("approve", approve_on(*process, index));
}

aio::Task<> Clients::approve_on(Process& process, std::size_t index) {
  const auto run = cases_[index].run;
  try {
    const auto pause = co_await process.store().pause_of(run);
    if (!pause) co_return;
    std::vector<run::Decision> decisions;
    for (const auto& call : pause->calls)
      decisions.push_back({.call_id = call.id, .approved = around_.random.chance(800), .note = ""});
    const auto decided = co_await process.store().decide(run, std::move(decisions));
    if (decided && !process.life().dead()) ++around_.trace.counts.approvals;
  } catch (const base::Broken&) {
    // The next look finds it paused still, or not.
  }
}

void Clients::take(std::size_t index) {
  if (auto* const process = pick_()) process->serve("take", take_on(*process, index));
}

// A hand-over from the living owner, as a detached process makes it.
aio::Task<> Clients::take_on(Process& process, std::size_t index) {
  const auto run = cases_[index].run;
  const auto* log = around_.ledger.find(run);
  if (!log || log->owner == process.executor().owner()) co_return;
  try {
    co_await process.executor().take(run, log->owner);
  } catch (const base::Broken&) {
    // Whoever executes it goes on.
  }
}

// --- the end ---------------------------------------------------------------------------------------------------------

bool Clients::at_rest(const Log& log, const Case& wanted) const {
  if (log.ended) return true;
  return log.status == run::Status::paused && !(wanted.acknowledged && wanted.approved);
}

std::string Clients::unsettled() const {
  for (std::size_t i = 0; i < cases_.size(); ++i)
    if (!cases_[i].acknowledged && !cases_[i].lost) return "case " + std::to_string(i) + " was not answered";
  for (const auto& [number, log] : around_.ledger.logs()) {
    const auto wanted = std::ranges::find(cases_, log.plan.value_or(0), &Case::plan);
    if (!at_rest(log, *wanted))
      return "run " + log.run_id + " is " + std::string(run::name(log.status)) + " under owner " + std::to_string(log.owner) +
             " and does not end after " + (log.lines.empty() ? "nothing" : log.lines.back());
  }
  for (const auto& tail : tails_) {
    const auto* log = around_.ledger.find(cases_[tail.of].run);
    if (!log || (log->ended ? !tail.done : tail.cursor < log->lines.size()))
      return "a reader of run " + cases_[tail.of].run_id + " on process " + std::to_string(tail.slot) + " (connection " +
             std::to_string(tail.connection) + ") has seen " + std::to_string(tail.cursor) + " events and hears no more";
  }
  return "";
}

}  // namespace sim
