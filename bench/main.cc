// The benchmarks' one program: a command per measurement, samples as JSON lines on stdout. scripts/bench drives it.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string_view>

#include "bench/figures/figures.h"

namespace {

struct Command {
  std::string_view name;
  void (*measure)(const bench::Arguments&);
};

constexpr Command kCommands[] = {
    {"launch", bench::measure_launch},    {"tail", bench::measure_tail},       {"appends", bench::measure_appends},
    {"layouts", bench::measure_layouts},  {"fetch", bench::fetch_stream},      {"catch_up", bench::measure_catch_up},
    {"streams", bench::measure_streams},  {"spawn", bench::measure_spawn},     {"one_stream", bench::measure_one_stream},
    {"crowd", bench::measure_crowd},      {"crowd_child", bench::crowd_child}, {"fill", bench::fill_home},
    {"interrupt", bench::interrupt_runs},
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  const auto* command = std::ranges::find(kCommands, name, &Command::name);
  if (command == std::end(kCommands)) {
    std::fprintf(stderr, "usage: outlast_bench MEASUREMENT [--key value ...]\n");
    return 2;
  }
  try {
    command->measure(bench::Arguments(argc - 2, argv + 2));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "outlast_bench %s: %s\n", argv[1], error.what());
    return 1;
  }
}
