#pragma once
// `outlast execute RUN_ID --from OWNER` (not for people): the detached process that executes one run.
#include <cstdint>
#include <string>

namespace cli {

struct ExecuteOptions {
  std::string run_id;
  std::int64_t from = 0;  // the present owner, which hands the run over; 0: it has no living one
  int ready_fd = -1;      // where to write one line when it is decided who executes
};

int run_execute(const ExecuteOptions& options);

}  // namespace cli
