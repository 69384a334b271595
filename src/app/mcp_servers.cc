#include "app/mcp_servers.h"

#include <algorithm>
#include <cmath>

#include "app/shape.h"
#include "app/templates.h"
#include "base/limits.h"
#include "base/text.h"
#include "mcp/names.h"

namespace app {

namespace limits = base::limits;

namespace {

constexpr std::string_view kTransports[] = {"stdio", "http", "streamable_http", "sse"};
constexpr Shape kValue = {.types = kText | kBool | kInteger | kNumber};
constexpr Field kServer[] = {
    {"name", text()},
    {"id", text()},
    {"description", text()},
    {"transport", one_of(kTransports)},
    {"command", text()},
    {"args", list(&kValue)},
    {"env", open_map(&kValue)},
    {"url", text()},
    {"headers", open_map(&kValue)},
    {"timeout", {.types = kNumber, .min = 0, .max = static_cast<double>(limits::kMcpCallMsMax) / 1000, .above_min = true}},
    {"auth", any()},
    {"sandbox", any()},
};
constexpr Shape kServerShape = map_of(kServer);

bool is_token(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

class ServerReader {
 public:
  ServerReader(McpServers& out, Problems& problems) : out_(out), problems_(problems) {}

  void read(std::string name, const Node& node, const std::string& path, Mark mark) {
    path_ = path;
    mark_ = mark;
    server_ = {};
    server_.name = std::move(name);
    good_ = check_name() && check(node);
    if (good_) read_transport(node);
    if (!good_) return;
    if (const auto* timeout = node.find("timeout"); timeout && !timeout->unresolved)
      server_.timeout_ms = static_cast<std::int64_t>(std::llround(as_number(*timeout).value_or(0) * 1000));
    if (const auto* args = node.find("args"))
      for (const auto& item : args->items) server_.args.push_back(value(item, Kind::word));
    read_pairs(node.find("env"), "env", server_.environment);
    read_pairs(node.find("headers"), "headers", server_.headers);
    read_auth(node.find("auth"));
    if (const auto* sandbox = node.find("sandbox"))
      problems_.warn(child(path_, "sandbox"), "has no effect: the server may do what you may", sandbox->mark);
    if (good_) out_.servers.push_back(std::move(server_));
  }

 private:
  enum class Kind { word, secret };

  void fail(const std::string& path, const std::string& message, Mark mark) {
    problems_.add(path, message, mark, Code::mcp_server);
    good_ = false;
  }

  bool check_name() {
    good_ = true;
    if (!mcp::valid_server_name(server_.name))
      fail(path_, "a server's name is 1-32 of A-Z, a-z, 0-9, _ and -, without \"__\" and no _ at its end", mark_);
    const auto lower = base::to_lower(server_.name);
    const auto taken = [&](const std::string& other) { return base::to_lower(other) == lower; };
    if (std::ranges::any_of(out_.servers, taken, &McpServer::name) || std::ranges::any_of(out_.unsupported, taken))
      fail(path_, "there is a server of this name already", mark_);
    return good_;
  }

  // The shape, with this section's own code.
  bool check(const Node& node) {
    Problems found("");
    check_shape(node, kServerShape, path_, found);
    for (const auto& problem : found.errors()) fail(problem.path, problem.message, problem.mark);
    return good_;
  }

  // A scalar with its templates resolved. The first variable without a value is kept for who starts the server.
  std::string value(const Node& node, Kind kind) {
    if (node.unresolved && server_.unset.empty()) server_.unset = unset_variable(node);
    auto text = as_text(node).value_or("");
    if (kind == Kind::secret || node.from_environment) server_.secrets.push_back(text);
    return text;
  }

  void read_transport(const Node& node) {
    const auto* command = node.find("command");
    const auto* url = node.find("url");
    const auto* given = node.find("transport");
    const auto transport = given ? given->text : url && !command ? "http" : "stdio";
    if (transport == "sse") {
      problems_.warn(
          child(path_, "transport"),
          "'sse' of MCP 2024-11-05 is not supported: none of its tools is offered; most such servers speak streamable_http too",
          given->mark);
      out_.unsupported.push_back(server_.name);
      good_ = false;
      return;
    }
    if (!command && !url)
      return fail(path_, "unknown MCP server '" + shown(server_.name) + "': give it a command or a url", mark_);
    if (!given && command && url) return fail(path_, "has a command and a url: say which by transport", mark_);
    if (transport == "stdio") {
      server_.transport = McpServer::Transport::stdio;
      if (!command) return fail(child(path_, "command"), "is required with transport stdio", mark_);
      server_.command = value(*command, Kind::word);
      if (server_.command.empty()) fail(child(path_, "command"), "must not be empty", command->mark);
      return;
    }
    server_.transport = McpServer::Transport::http;
    if (!url) return fail(child(path_, "url"), "is required with transport " + transport, mark_);
    server_.url = value(*url, Kind::word);
    if (!url->unresolved && !server_.url.starts_with("http://") && !server_.url.starts_with("https://"))
      fail(child(path_, "url"), "must begin with http:// or https://", url->mark);
  }

  void read_pairs(const Node* map, std::string_view key, std::vector<McpServer::Pair>& out) {
    if (!map) return;
    const bool headers = key == "headers";
    if (headers == (server_.transport == McpServer::Transport::stdio))
      problems_.warn(child(path_, key),
                     headers ? "has no effect on a server that is a command" : "has no effect on a server behind a URL",
                     map->mark);
    for (const auto& member : map->members) {
      const auto path = child(child(path_, key), member.key);
      if (headers ? !is_token(member.key) : member.key.empty() || member.key.contains('='))
        fail(path, headers ? "is no name of a header" : "is no name of a variable", member.mark);
      auto text = value(member.value, Kind::secret);
      if (headers && text.find_first_of("\r\n") != text.npos) fail(path, "must not hold a line break", member.mark);
      out.push_back({.name = member.key, .value = std::move(text)});
    }
  }

  void read_auth(const Node* node) {
    if (!node) return;
    const auto path = child(path_, "auth");
    if (!node->is_scalar())
      return problems_.warn(path, "has no effect: only a bearer token, as a text, is supported", node->mark);
    if (server_.transport == McpServer::Transport::stdio)
      return problems_.warn(path, "has no effect on a server that is a command; give it the token in env", node->mark);
    auto token = value(*node, Kind::secret);
    if (token.find_first_of("\r\n") != token.npos) return fail(path, "must not hold a line break", node->mark);
    server_.headers.push_back(
        {.name = "Authorization", .value = token.starts_with("Bearer ") ? std::move(token) : "Bearer " + token});
  }

  McpServers& out_;
  Problems& problems_;
  McpServer server_;
  std::string path_;
  Mark mark_;
  bool good_ = true;
};

}  // namespace

McpServers read_mcp_servers(const Node* block, Problems& problems) {
  McpServers out;
  const auto* config = block ? block->find("config") : nullptr;
  const auto* servers = config ? config->find("servers") : nullptr;
  if (!servers) return out;
  const auto path = "tools." + std::string(kMcpServersPath);
  if (servers->members.size() + servers->items.size() > limits::kMcpServersMax) {
    problems.add(path, "more than " + std::to_string(limits::kMcpServersMax) + " servers", servers->mark, Code::mcp_server);
    return out;
  }
  if (servers->is_scalar()) problems.add(path, "must be a map or a list", servers->mark, Code::mcp_server);
  ServerReader reader(out, problems);
  for (const auto& member : servers->members) reader.read(member.key, member.value, child(path, member.key), member.mark);
  for (std::size_t i = 0; i < servers->items.size(); ++i) {
    const auto& item = servers->items[i];
    const auto* name = item.find("name") ? item.find("name") : item.find("id");
    const auto at = child(path, i);
    if (item.is_scalar())
      reader.read(item.text, Node{.mark = item.mark, .text = {}, .items = {}, .members = {}}, at, item.mark);
    else if (name)
      reader.read(as_text(*name).value_or(""), item, at, item.mark);
    else if (item.members.size() == 1)
      reader.read(item.members.front().key, item.members.front().value, at, item.mark);
    else
      problems.add(at, "has no name", item.mark, Code::mcp_server);
  }
  return out;
}

}  // namespace app
