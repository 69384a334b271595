// outlast_sim: plays seeds, on several cores, and says what it found: one line of JSON; on a violation the seed, the promise,
// the evidence and the last steps, and exit code 1. A seed that is named alone is played again exactly.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "sim/world.h"
#include "store/sqlite/schema.h"

namespace {

constexpr unsigned kSeedSecondsMax = 5;

struct Options {
  std::uint64_t first = 1, seeds = 1000;
  int jobs = 2;
};

// What a child tells its parent, in memory that both see.
struct Report {
  sim::Counts counts;
  std::uint64_t seed = 0;  // the one being played
};

bool play(std::uint64_t seed, store::sqlite::Database& limbo, Report& report) {
  sim::World world(seed, limbo);
  const bool kept = world.run();
  report.counts += world.trace().counts;
  if (kept) return true;
  std::fprintf(stderr, "%s\n%s\nseed %llu breaks %s\nagain: outlast_sim --seed %llu   (digest %016llx)\n", world.story().c_str(),
               world.trace().tail().c_str(), static_cast<unsigned long long>(seed), world.violation().c_str(),
               static_cast<unsigned long long>(seed), static_cast<unsigned long long>(world.trace().digest()));
  return false;
}

bool play_some(const Options& options, int job, Report& report) {
  store::sqlite::Database limbo(":memory:", store::sqlite::OpenMode::read_write);
  store::sqlite::migrate(limbo);
  for (auto seed = options.first + static_cast<std::uint64_t>(job); seed < options.first + options.seeds;
       seed += static_cast<std::uint64_t>(options.jobs)) {
    report.seed = seed;
    alarm(kSeedSecondsMax);  // a handler that never ends
    if (!play(seed, limbo, report)) return false;
  }
  return true;
}

Report* share(std::size_t count) {
  void* const memory = mmap(nullptr, count * sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw base::Broken("no shared memory");
  auto* const reports = static_cast<Report*>(memory);
  std::uninitialized_default_construct_n(reports, count);
  return reports;
}

// True: all kept. A child that dies takes the seed that it played with it.
bool play_all(const Options& options, std::span<Report> reports) {
  for (int job = 0; job < options.jobs; ++job)
    if (fork() == 0) std::_Exit(play_some(options, job, reports[static_cast<std::size_t>(job)]) ? 0 : 1);
  bool kept = true;
  for (int status = 0; wait(&status) > 0;) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    kept = false;
    if (!WIFEXITED(status)) {
      std::fprintf(stderr, "a job died; the seeds in play were");
      for (auto& report : reports) std::fprintf(stderr, " %llu", static_cast<unsigned long long>(report.seed));
      std::fprintf(stderr, "\n");
    }
  }
  return kept;
}

bool read_options(std::span<char*> arguments, Options& options) {
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const std::string_view name = arguments[i];
    const auto value = base::parse_int(arguments[i + 1]);
    if (!value || *value < 0) return false;
    if (name == "--seeds")
      options.seeds = static_cast<std::uint64_t>(*value);
    else if (name == "--first")
      options.first = static_cast<std::uint64_t>(*value);
    else if (name == "--jobs")
      options.jobs = static_cast<int>(std::clamp<std::int64_t>(*value, 1, 64));
    else if (name == "--seed")
      options = {.first = static_cast<std::uint64_t>(*value), .seeds = 1, .jobs = 1};
    else
      return false;
  }
  return arguments.size() % 2 == 0;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  if (!read_options(std::span(arguments, static_cast<std::size_t>(count)).subspan(1), options)) {
    std::fprintf(stderr, "usage: outlast_sim [--seeds N] [--first SEED] [--jobs N] | --seed SEED\n");
    return 2;
  }
  base::log::configure(base::log::Level::off, base::log::Format::text);
  const auto begin = std::chrono::steady_clock::now();
  const std::span reports(share(static_cast<std::size_t>(options.jobs)), static_cast<std::size_t>(options.jobs));
  const bool kept = play_all(options, reports);
  sim::Counts counts;
  for (const auto& report : reports) counts += report.counts;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%s\n", sim::to_json(counts, took.count()).c_str());
  return kept ? 0 : 1;
}
