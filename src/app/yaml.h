#pragma once
// YAML as a plain tree with positions. Parsing is bounded: size, nesting, and the number of nodes after aliases have been
// expanded, so that neither deep files nor alias bombs cost more than their bounds.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/problems.h"

namespace app {

inline constexpr std::size_t kYamlNodesMax = 100'000;  // aliases count as often as they are used
inline constexpr std::size_t kYamlDepthMax = 64;
inline constexpr std::size_t kYamlTextBytesMax = 16 << 20;  // all scalars together, aliases and templates expanded

struct Member;

struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  Mark mark;
  std::string text;               // of a scalar
  bool quoted = false;            // of a scalar: it is text, whatever it looks like
  bool from_environment = false;  // holds what a {{env.X}} or {{secret.X}} stood for
  bool unresolved = false;        // holds a {{env.X}} or {{secret.X}} that has no value; see templates.h
  std::vector<Node> items;
  std::vector<Member> members;

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  // The member's value; nothing where there is none, or null, or where this is no map.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
};

struct Member {
  std::string key;
  Mark mark;  // of the key
  Node value;
};

// The scalar as a value. Nothing where it does not look like one.
std::optional<bool> as_bool(const Node& node);  // true yes on / false no off, any case
std::optional<std::int64_t> as_int(const Node& node);
std::optional<double> as_number(const Node& node);     // finite
std::optional<std::string> as_text(const Node& node);  // any scalar

// The texts of a list of scalars, or of one scalar; of nothing where it is null.
std::vector<std::string> texts_of(const Node* node);

// Size, UTF-8 and NUL bytes; false, with the problem told, where the text is not worth parsing.
bool check_bytes(std::string_view text, Problems& problems, int first_line = 1);

// The one document of the text. Syntax errors, duplicate keys and bounds go to `problems`; nothing is returned where no tree
// could be made; an empty text is a null node. `first_line` is the line of the file that the text begins in.
std::optional<Node> parse_yaml(std::string_view text, Problems& problems, int first_line = 1);

}  // namespace app
