#pragma once
// The bytes of an opened file, bounded. Everything works on the descriptor: the name is never looked at again.
#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "tool/fd.h"

namespace tool {

// The whole file of at most kFileBytesMax bytes, or the refusal that names its size. A file that grows meanwhile is fine as
// long as it stays within the bound.
base::Result<std::string> read_whole(const Fd& fd, std::string_view path);

// The next bytes of the file, appended to `out`: how many, 0 at its end.
base::Result<std::size_t> read_block(const Fd& fd, std::string& out, std::string_view path);

// Text has no NUL bytes; that is the whole test, as in grep and git.
bool binary(std::string_view bytes);

// "1234 bytes", "3.4 MiB".
std::string size_text(std::size_t bytes);

}  // namespace tool
