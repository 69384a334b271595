#pragma once
// The MCP servers of the runs that this process executes. A run holds names only: its definition says in which app file the
// servers are configured, as it says where its key is (cli/endpoints.h).
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aio/notifier.h"
#include "aio/task_group.h"
#include "app/definition.h"
#include "cli/file_version.h"
#include "engine/deps.h"
#include "mcp/client.h"
#include "net/http_client.h"

namespace cli {

// Io thread. Close it before it goes.
class McpServers {
 public:
  struct Options {
    llm::Environment environment;             // for the templates of app files
    std::vector<std::string> passed_on = {};  // NAME=value, what servers that are commands may know of this process' environment
  };
  // The references outlive it. `base`: the tools that every run has.
  McpServers(boost::asio::io_context& io, aio::Time& time, net::HttpClient& http, const tool::Toolbox& base, Options options);

  // The tools of the run's servers on top of the process' own. One server, as one file configures it for one work directory, is
  // started once and shared. A server that cannot be used in time is left out, with the reason, and tried again when asked again.
  aio::Task<engine::RunTools> tools_of(const store::Run& run, const run::Spec& spec);

  // Nothing of any server goes on afterwards.
  aio::Task<> close();

 private:
  // What a file says of its servers. One that was read once is good until the file says something else.
  struct Configured {
    FileVersion version;
    std::vector<app::McpServer> servers;
  };
  // A client, and for what it was made.
  struct Entry {
    std::string file, directory;
    app::McpServer server;
    std::shared_ptr<mcp::Client> client;
    std::int64_t used_ms = 0;                      // steady
    std::string told = {};                         // why it could not be used, as it was logged last
    std::shared_ptr<const mcp::ToolList> offered = {};  // the list whose left-out tools were logged
  };
  // A toolbox of some lists, as long as somebody has it.
  struct Composed {
    std::vector<std::shared_ptr<const mcp::ToolList>> lists;
    std::weak_ptr<const tool::Toolbox> toolbox;
  };
  struct Source {
    std::shared_ptr<Entry> entry;
    std::shared_ptr<const mcp::ToolList> list;
  };

  base::Result<const std::vector<app::McpServer>*> configured_in(const std::string& file);
  base::Result<std::shared_ptr<Entry>> entry_of(const run::Spec& spec, const std::string& name);
  std::shared_ptr<mcp::Client> make_client(const app::McpServer& server, const std::string& directory);
  aio::Task<base::Result<Source>> source_of(std::shared_ptr<Entry> entry, std::int64_t end_ms);
  std::shared_ptr<const tool::Toolbox> compose(const std::vector<Source>& sources);
  aio::Task<> end_idle_ones();

  boost::asio::io_context& io_;
  aio::Time& time_;
  net::HttpClient& http_;
  const tool::Toolbox& base_;
  const Options options_;
  std::map<std::string, Configured> files_;
  std::vector<std::shared_ptr<Entry>> entries_;
  std::vector<Composed> composed_;
  bool tending_ = false, closing_ = false;
  aio::Notifier closing_begins_;
  aio::TaskGroup tasks_;
};

}  // namespace cli
