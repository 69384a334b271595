#include "cli/mcp_servers.h"

#include <algorithm>
#include <filesystem>

#include "base/limits.h"
#include "base/log.h"
#include "mcp/http_transport.h"
#include "mcp/stdio_transport.h"
#include "tool/mcp_tool.h"

namespace cli {

namespace limits = base::limits;

namespace {

constexpr std::int64_t kTendMs = 5'000;

// What is passed on, and over it what the configuration says.
std::vector<std::string> environment_of(const app::McpServer& server, const std::vector<std::string>& passed_on) {
  std::vector<std::string> variables;
  for (const auto& variable : passed_on) {
    const auto name = variable.substr(0, variable.find('='));
    if (std::ranges::find(server.environment, name, &app::McpServer::Pair::name) == server.environment.end())
      variables.push_back(variable);
  }
  for (const auto& [name, value] : server.environment) variables.push_back(name + "=" + value);
  return variables;
}

mcp::ServerCommand command_of(const app::McpServer& server, const std::vector<std::string>& passed_on,
                              const std::string& directory) {
  mcp::ServerCommand command{.argv = {server.command}, .environment = environment_of(server, passed_on), .directory = directory};
  command.argv.insert(command.argv.end(), server.args.begin(), server.args.end());
  return command;
}

mcp::HttpAddress address_of(const app::McpServer& server) {
  mcp::HttpAddress address{.url = server.url, .headers = {}};
  for (const auto& [name, value] : server.headers) address.headers.push_back({.name = name, .value = value});
  return address;
}

}  // namespace

McpServers::McpServers(boost::asio::io_context& io, aio::Time& time, net::HttpClient& http, const tool::Toolbox& base,
                       Options options)
    : io_(io),
      time_(time),
      http_(http),
      base_(base),
      options_(std::move(options)),
      closing_begins_(io),
      tasks_(io, [](const std::string& name, const std::string& what) {
        base::log::error("a task of the MCP servers failed", {{"task", name}, {"reason", what}});
      }) {}

base::Result<const std::vector<app::McpServer>*> McpServers::configured_in(const std::string& file) {
  const auto version = version_of(file);
  auto known = files_.find(file);
  if (known != files_.end() && known->second.version == version) return &known->second.servers;
  auto app = app::load_app(file, options_.environment);
  if (app)
    known = files_.insert_or_assign(file, Configured{.version = version, .servers = std::move(app->mcp_servers)}).first;
  else if (known == files_.end())
    return base::fail(base::Errc::unavailable,
                      "the app file cannot be read: " + app.error().message.substr(0, app.error().message.find('\n')));
  return &known->second.servers;
}

base::Result<std::shared_ptr<McpServers::Entry>> McpServers::entry_of(const run::Spec& spec, const std::string& name) {
  const auto& file = spec.definition.file;
  const auto configured = configured_in(file);
  if (!configured) return std::unexpected(configured.error());
  const auto server = std::ranges::find(**configured, name, &app::McpServer::name);
  if (server == (*configured)->end())
    return base::fail(base::Errc::unavailable, "the app file '" + file + "' has no such MCP server any more");
  if (!server->unset.empty())
    return base::fail(base::Errc::unavailable, "its configuration names " + server->unset + ", which is not set here");
  const auto directory = spec.work_directory.empty() ? std::filesystem::path(file).parent_path().string() : spec.work_directory;
  for (const auto& entry : entries_)
    if (entry->file == file && entry->directory == directory && entry->server == *server) return entry;
  auto entry = std::make_shared<Entry>(
      Entry{.file = file, .directory = directory, .server = *server, .client = make_client(*server, directory)});
  entries_.push_back(entry);
  if (!tending_) tending_ = tasks_.spawn("idle servers", end_idle_ones());
  return entry;
}

std::shared_ptr<mcp::Client> McpServers::make_client(const app::McpServer& server, const std::string& directory) {
  mcp::ClientOptions options{
      .server = server.name, .secrets = server.secrets, .call_ms = server.timeout_ms.value_or(limits::kMcpCallMs)};
  mcp::Client::Dial dial;
  if (server.transport == app::McpServer::Transport::http)
    dial = [this, address = address_of(server)] { return std::make_unique<mcp::HttpTransport>(io_, http_, time_, address); };
  else
    dial = [this, command = command_of(server, options_.passed_on, directory)] {
      return std::make_unique<mcp::StdioTransport>(io_, time_, command);
    };
  return std::make_shared<mcp::Client>(io_, time_, std::move(options), std::move(dial));
}

aio::Task<engine::RunTools> McpServers::tools_of(const store::Run& run, const run::Spec& spec) {
  engine::RunTools out;
  const auto leave_out = [&out](const std::string& name, const std::string& why) { out.missing.push_back(name + ": " + why); };
  std::vector<std::shared_ptr<Entry>> entries;
  for (const auto& name : spec.mcp_servers) {
    auto entry = closing_ ? base::fail(base::Errc::unavailable, "the process stops") : entry_of(spec, name);
    if (!entry) {
      base::log::warning("an MCP server cannot be used",
                         {{"run", run.run_id}, {"server", name}, {"reason", entry.error().message}});
      leave_out(name, entry.error().message);
      continue;
    }
    (*entry)->client->prepare();
    entries.push_back(std::move(*entry));
  }
  // They all start at the same time, so one wait is enough for all.
  const auto end_ms = time_.steady_ms() + limits::kMcpConnectMs;
  std::vector<Source> sources;
  for (const auto& entry : entries) {
    auto source = co_await source_of(entry, end_ms);
    if (source)
      sources.push_back(std::move(*source));
    else
      leave_out(entry->server.name, source.error().message);
  }
  out.toolbox = compose(sources);
  co_return out;
}

aio::Task<base::Result<McpServers::Source>> McpServers::source_of(std::shared_ptr<Entry> entry, std::int64_t end_ms) {
  entry->used_ms = time_.steady_ms();
  auto list = co_await entry->client->tools(std::max<std::int64_t>(0, end_ms - time_.steady_ms()));
  entry->used_ms = time_.steady_ms();
  const auto& name = entry->server.name;
  const auto why = list ? "" : list.error().message;
  if (!why.empty() && why != entry->told) base::log::warning("an MCP server cannot be used", {{"server", name}, {"reason", why}});
  entry->told = why;
  if (!list) co_return std::unexpected(list.error());
  if (*list != entry->offered)
    for (const auto& left_out : (*list)->left_out)
      base::log::warning("a tool of an MCP server is left out", {{"server", name}, {"tool", left_out}});
  entry->offered = *list;
  co_return Source{.entry = std::move(entry), .list = std::move(*list)};
}

std::shared_ptr<const tool::Toolbox> McpServers::compose(const std::vector<Source>& sources) {
  std::erase_if(composed_, [](const Composed& composed) { return composed.toolbox.expired(); });
  Composed fresh;
  for (const auto& source : sources) fresh.lists.push_back(source.list);
  for (const auto& composed : composed_)
    if (composed.lists == fresh.lists)
      if (auto toolbox = composed.toolbox.lock()) return toolbox;
  std::vector<std::unique_ptr<tool::Tool>> tools;
  for (const auto& [entry, list] : sources)
    for (auto& tool : tool::mcp_tools(entry->server.name, entry->client, *list)) tools.push_back(std::move(tool));
  auto toolbox = std::make_shared<const tool::Toolbox>(std::move(tools), base_);
  fresh.toolbox = toolbox;
  composed_.push_back(std::move(fresh));
  return toolbox;
}

// Those whose tools no run has any more.
aio::Task<> McpServers::end_idle_ones() {
  while (!closing_) {
    co_await aio::wait_for(time_, closing_begins_, std::chrono::milliseconds(kTendMs));
    const auto now = time_.steady_ms();
    std::vector<std::shared_ptr<Entry>> idle;
    for (const auto& entry : entries_) {
      if (entry->client.use_count() > 1) entry->used_ms = now;
      if (now - entry->used_ms >= limits::kMcpIdleMs) idle.push_back(entry);
    }
    if (closing_) co_return;
    std::erase_if(entries_, [&](const auto& entry) { return std::ranges::find(idle, entry) != idle.end(); });
    for (const auto& entry : idle) co_await entry->client->close();
  }
}

aio::Task<> McpServers::close() {
  closing_ = true;
  closing_begins_.notify_all();
  for (const auto& entry : entries_) tasks_.spawn("close " + entry->server.name, entry->client->close());
  tasks_.close();
  co_await tasks_.join();
}

}  // namespace cli
