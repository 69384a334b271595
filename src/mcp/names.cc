#include "mcp/names.h"

#include <algorithm>

#include "base/text.h"

namespace mcp {

namespace {

constexpr std::size_t kServerBytesMax = 32;
constexpr std::size_t kModelNameBytesMax = 64;
constexpr std::size_t kDigits = 8;

bool plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

}  // namespace

bool valid_server_name(std::string_view name) {
  return !name.empty() && name.size() <= kServerBytesMax && std::ranges::all_of(name, plain) && !name.ends_with('_') &&
         name.find("__") == name.npos;
}

std::string module_of(std::string_view server) { return "mcp_" + std::string(server); }

std::string model_name(std::string_view server, std::string_view tool) {
  auto name = module_of(server) + "__" + std::string(tool);
  if (!tool.empty() && name.size() <= kModelNameBytesMax && std::ranges::all_of(name, plain)) return name;
  std::ranges::replace_if(name, [](char c) { return !plain(c); }, '_');
  name.resize(std::min(name.size(), kModelNameBytesMax - kDigits - 1));
  return name + "_" + base::sha256_hex(base::to_lower(tool)).substr(0, kDigits);
}

std::string all_of(std::string_view server) { return module_of(server) + "__*"; }

}  // namespace mcp
