#pragma once
// What executing a run needs, given by main once. All referenced objects outlive the engine.
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "aio/time.h"
#include "base/clock.h"
#include "engine/call_rates.h"
#include "engine/counters.h"
#include "engine/live_logs.h"
#include "engine/projection.h"
#include "llm/price.h"
#include "llm/registry.h"
#include "process/children.h"
#include "run/spec.h"
#include "store/store.h"
#include "tool/memory.h"
#include "tool/tasks.h"
#include "tool/team_mail.h"
#include "tool/tool.h"

namespace engine {

class TeamFiles;

// The tools of a run that uses MCP servers, and which of these cannot be used at present, each with the reason.
struct RunTools {
  std::shared_ptr<const tool::Toolbox> toolbox;
  std::vector<std::string> missing = {};
};

struct Deps {
  boost::asio::io_context& io;
  aio::Time& time;
  base::Random& random;
  store::Store& store;
  llm::Registry& models;
  const tool::Toolbox& tools;
  Counters& counters;
  LiveLogs& logs;
  std::string runs_directory;  // <home>/runs: run directories of runs that have one
  // Where to call for a run, with the secret that its definition names; secrets are not in the run. An error says why this
  // process cannot know it (yet).
  std::function<base::Result<llm::Endpoint>(const store::Run& run, const run::Spec& spec)> endpoint_of;
  tool::Tasks* tasks = nullptr;      // for tools that make other calls; null: they are refused
  Projection* projection = nullptr;  // keeps run directories current; null: none are kept
  tool::Memory* memory = nullptr;    // what sessions note; null: nothing can be noted
  // What members of teams write to each other; null: nobody is reached.
  tool::TeamMail* team_mail = nullptr;
  TeamFiles* team_files = nullptr;  // shows what they write; null: nothing is shown
  // The tools of a run whose definition names MCP servers, on top of `tools`; asked before each model call, since servers come
  // and go. None: such a run has `tools` alone.
  std::function<aio::Task<RunTools>(const store::Run& run, const run::Spec& spec)> tools_of = {};
  // Where runs of kind harness have their programs; null: they cannot be executed here.
  process::Children* children = nullptr;
  aio::Offload* blocking = nullptr;
  std::vector<std::string> environment = {};  // of this process, whole: what those programs begin with
  std::int64_t harness_runs_max = 0;          // of the home, at work at once; 0: no bound
  llm::PriceList prices = {};                 // what model calls cost
  CallRates rates = {};  // what this process has called
  std::set<std::string> sessions_ending = {};  // whose hooks are being told of their end by this process
};

}  // namespace engine
