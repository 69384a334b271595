#pragma once
// Shell patterns over relative paths, translated to RE2 so that no pattern costs more than linear time:
//   *  any characters but '/'      ?  one character but '/'      **  any directories, also none
//   [a-z] [!a-z]  classes          {a,b}  alternatives, nested   \x  the character x
// A leading dot needs no special pattern.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace re2 {
class RE2;
}

namespace tool {

// The directories in front of the pattern's first special character; "" if there are none.
std::string_view literal_directories(std::string_view pattern);

enum class Anchor {
  path,      // the pattern names the whole path, as in a shell
  basename,  // a pattern without '/' matches the last component at any depth, as in .gitignore
};

class GlobPattern {
 public:
  static base::Result<GlobPattern> compile(std::string_view pattern, Anchor anchor);
  GlobPattern(GlobPattern&&) noexcept;
  GlobPattern& operator=(GlobPattern&&) noexcept;
  ~GlobPattern();

  bool matches(std::string_view path) const;
  // The directories that every match lies in, e.g. "src/net" of "src/net/**/*.h"; "" if there are none.
  const std::string& literal_directory() const { return literal_directory_; }
  // How many components a match has at most; nothing where "**" leaves that open.
  std::optional<std::size_t> components_max() const { return components_max_; }
  // The pattern asks for directories: it ends in '/'.
  bool directories() const { return directories_; }

 private:
  GlobPattern();
  std::unique_ptr<re2::RE2> regex_;
  std::string literal_directory_;
  std::optional<std::size_t> components_max_;
  bool directories_ = false;
};

}  // namespace tool
