// Starts of a program, from posix_spawn to its exit, against /bin/true in between.
#include <stdexcept>

#include "bench/common/proc.h"
#include "bench/figures/figures.h"

namespace bench {

namespace {

struct Taken {
  std::int64_t wall_ns, cpu_ns;
};

Taken run_once(const std::vector<std::string>& argv, const std::vector<std::string>& environment) {
  const auto began = now_ns();
  const auto [code, cpu_ns] = wait_for_exit(start(argv, environment));
  const auto took = now_ns() - began;
  if (code != 0) throw std::runtime_error(argv[0] + " exited with " + std::to_string(code));
  return {took, cpu_ns};
}

}  // namespace

void measure_spawn(const Arguments& arguments) {
  std::vector<std::string> argv{arguments.required("program")};
  for (const auto* key : {"first", "second"})
    if (const auto argument = arguments.text(key); !argument.empty()) argv.push_back(argument);
  const std::vector<std::string> environment{"OUTLAST_HOME=" + arguments.required("home")};
  Latencies subject, subject_cpu, bare;
  run_once(argv, environment);
  for (std::int64_t i = 0; i < arguments.integer("count", 50); ++i) {
    const auto taken = run_once(argv, environment);
    subject.add(taken.wall_ns);
    subject_cpu.add(taken.cpu_ns);
    bare.add(run_once({"/bin/true"}, environment).wall_ns);
  }
  print_latencies(arguments.required("name"), "outlast", subject);
  print_latencies(arguments.required("name") + ".cpu", "outlast", subject_cpu);
  print_latencies(arguments.required("name"), "base", bare);
}

}  // namespace bench
