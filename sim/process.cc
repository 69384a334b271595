#include "sim/process.h"

#include "base/error.h"
#include "store/sqlite_store.h"

namespace sim {

namespace {

constexpr std::int64_t kUnwindHandlersMax = 2'000'000;

llm::RegistryOptions only(std::shared_ptr<llm::Provider> provider, bool able) {
  llm::RegistryOptions options{.environment = [](std::string_view) { return std::nullopt; }};
  if (able) options.given.emplace("sim", std::move(provider));
  return options;
}

}  // namespace

Process::Process(const Surroundings& around, const Identity& identity, std::shared_ptr<Life> life, const bool& calm)
    : identity_(identity),
      life_(std::move(life)),
      around_(around),
      work_(io_.get_executor()),
      time_(io_, around.clock, life_),
      random_(around.random.next()),
      store_(make_store(around)),
      logs_(io_, time_, *store_, counters_),
      http_(io_),
      caller_{time_, *life_, around.random, around.ledger, around.commands, around.trace, identity.slot, backend_->owner(), calm},
      models_(http_, time_, only(make_provider(caller_), identity.able)),
      tools_(make_tools(caller_)),
      deps_{.io = io_,
            .time = time_,
            .random = random_,
            .store = *store_,
            .models = models_,
            .tools = tools_,
            .counters = counters_,
            .logs = logs_,
            .runs_directory = "/nowhere",
            .endpoint_of =
                [](const store::Run&, const run::Spec& spec) {
                  return llm::Endpoint{.provider = spec.provider, .backend = {}, .base_url = {}, .api_key = {}, .timeout_ms = {}};
                }},
      executor_(deps_, {.concurrent_runs_max = static_cast<std::size_t>(around.random.chance(200) ? 2 : 16)}),
      serving_(io_,
               [this](const std::string& name, const std::string& what) {
                 if (!life_->dead()) around_.ledger.violate("P9", "a task for a client failed: " + name + ": " + what);
               }),
      own_(io_, [this](const std::string& name, const std::string& what) {
        if (name == "boot")
          around_.doom("cannot start");
        else if (!life_->dead())
          around_.ledger.violate("P9", "a process failed: " + name + ": " + what);
      }) {
  store_->listen(
      {.grown = [this](const auto& growth) { logs_.grown(growth); }, .control = [this] { executor_.control_changed(); }});
  own_.spawn("boot", boot());
}

Process::~Process() { around_.trace.counts.leases_lost += static_cast<std::int64_t>(counters_.leases_lost); }

std::unique_ptr<store::Store> Process::make_store(const Surroundings& around) {
  auto backend = std::make_unique<SimBackend>(io_, time_, life_, around, identity_.slot);
  backend_ = backend.get();
  store::Owner self{.number = 0,
                    .host = identity_.host,
                    .boot_id = around.home.boot_id,
                    .pid = 100 + identity_.slot,  // the next incarnation has the same, as a container's first process does
                    .pid_start = identity_.incarnation,
                    .expires_ms = 0};
  auto start_time = [&processes = around.home.processes, host = identity_.host](std::int64_t pid) -> std::optional<std::int64_t> {
    const auto at = processes.find({host, pid});
    if (at == processes.end()) return std::nullopt;
    return at->second;
  };
  return store::make_sqlite_store(io_, time_, {std::move(self), std::move(start_time)}, std::move(backend));
}

void Process::serve(const char* what, aio::Task<> task) {
  life_->set_ready(true);
  serving_.spawn(what, std::move(task));
}

aio::Task<> Process::boot() {
  co_await executor_.start();
  booted_ = true;
}

void Process::stop(std::int64_t grace_ms) {
  leaving_ = true;
  life_->set_ready(true);
  own_.spawn("leave", leave(grace_ms));
}

aio::Task<> Process::leave(std::int64_t grace_ms) {
  co_await executor_.stop(grace_ms);
  serving_.close();
  serving_.cancel();
  co_await serving_.join();
  co_await store_->close();
  left_ = true;
}

void Process::bury() {
  time_.wake_all();
  backend_->bury();
  if (!leaving_) stop(0);
  for (std::int64_t i = 0; !gone(); ++i) {
    ASSERT(i < kUnwindHandlersMax);
    ASSERT(run_one());  // or somebody waits for what can never come
  }
}

}  // namespace sim
