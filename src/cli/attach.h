#pragma once
// `outlast attach ID`: shows a run as its own terminal would, from its beginning or from an event on, until it ends.
#include <cstdint>
#include <string>

namespace cli {

struct AttachOptions {
  std::string id;
  std::uint64_t from = 0;
  bool verbose = false, json = false;
};

int run_attach(const AttachOptions& options);

}  // namespace cli
