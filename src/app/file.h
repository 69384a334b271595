#pragma once
// Definition files are read whole, and bounded.
#include <sys/stat.h>

#include <string>

#include "base/error.h"

namespace app {

struct TextFile {
  std::string text;
  mode_t mode = 0;
};

// A regular file. Of one longer than kConfigBytesMax no more is read than shows that it is (check_bytes refuses it, with the
// place). Errc::not_found where there is none.
base::Result<TextFile> read_text_file(const std::string& path);

}  // namespace app
