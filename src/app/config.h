#pragma once
// config.yaml: the part of load_config that needs no file.
#include <sys/stat.h>

#include <string_view>

#include "app/definition.h"
#include "base/error.h"

namespace app {

// `mode` are the permission bits of the file that the text came from.
base::Result<Config> parse_config(std::string_view text, std::string_view file_name, mode_t mode);

}  // namespace app
