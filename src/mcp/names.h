#pragma once
// The tools of a server under the names that models call them by and that rules of app files mean. Pure.
#include <string>
#include <string_view>

namespace mcp {

// What an app file may call a server: 1-32 of A-Za-z0-9_-, without "__" and no "_" at its end, so that the tools of two servers
// never look like those of one.
bool valid_server_name(std::string_view name);

// "mcp_github".
std::string module_of(std::string_view server);

// "mcp_github__create_issue": 1-64 of A-Za-z0-9_-. A name that does not fit is cut and ends in its own digest, so that two tools
// whose names differ in more than case have two names: what a rule says of one is never meant for the other.
std::string model_name(std::string_view server, std::string_view tool);

// "mcp_github__*": all tools of the server, in a run's grants.
std::string all_of(std::string_view server);

}  // namespace mcp
