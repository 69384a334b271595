#pragma once
// `outlast serve`: the HTTP server that executes and serves runs.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cli {

struct ServeOptions {
  std::vector<std::string> files;  // app.yaml and profile files
  std::string host = "127.0.0.1";
  std::uint16_t port = 7777;
  std::optional<std::size_t> max_concurrent_runs, max_pending_runs;
  std::string mcp_tools;  // by comma; "" or "none": none
  std::string log_format;  // "text" | "json"; "": text on a terminal, else json
  std::string log_level = "info";
};

int run_serve(const ServeOptions& options);

}  // namespace cli
