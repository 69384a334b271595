#pragma once
// `outlast fork RUN[@EVENT]`: a new branch that begins with what a run had said up to an event.
#include <string>

namespace cli {

struct ForkOptions {
  std::string point;  // RUN or RUN@EVENT; the event itself belongs to the new branch's past
  bool json = false;
};

int run_fork(const ForkOptions& options);

}  // namespace cli
