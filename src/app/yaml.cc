#include "app/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <istream>
#include <map>
#include <streambuf>
#include <unordered_set>
#include <utility>

#include "base/limits.h"
#include "base/text.h"

namespace app {

namespace {

// Leaves the parser when a bound is hit or the tree cannot be built.
struct Refusal {
  std::string path;
  std::string message;
  Mark mark;
  Code code;
};

struct Size {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
};

// Recursion is bounded by kYamlDepthMax.
Size size_of(const Node& node) {
  Size size{1, node.text.size()};
  const auto add = [&](const Node& inner) {
    const auto more = size_of(inner);
    size.nodes += more.nodes;
    size.bytes += more.bytes;
  };
  for (const auto& item : node.items) add(item);
  for (const auto& member : node.members) {
    add(member.value);
    size.nodes += 1;
    size.bytes += member.key.size();
  }
  return size;
}

std::size_t depth_of(const Node& node) {
  std::size_t depth = 0;
  for (const auto& item : node.items) depth = std::max(depth, depth_of(item));
  for (const auto& member : node.members) depth = std::max(depth, depth_of(member.value));
  return depth + 1;
}

// Builds the tree from the parser's events.
class Builder final : public YAML::EventHandler {
 public:
  Builder(std::string_view text, Problems& problems, int first_line)
      : text_(text), problems_(problems), first_line_(first_line) {}

  bool finished() const { return finished_; }
  Node take() { return std::move(root_); }
  Mark began() const { return began_; }
  Mark mark(const YAML::Mark& mark) const { return mark.line < 0 ? Mark{} : Mark{mark.line + first_line_, mark.column + 1}; }

  void OnDocumentStart(const YAML::Mark& at) override { began_ = mark(at); }
  void OnDocumentEnd() override { finished_ = true; }

  void OnNull(const YAML::Mark& at, YAML::anchor_t anchor) override {
    Node node;
    node.mark = mark(at);
    count({1, 0}, node.mark);
    complete(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& at, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse("an alias refers to a node that it is part of", mark(at), Code::syntax);
    count(size_of(found->second), mark(at));
    if (frames_.size() + depth_of(found->second) > kYamlDepthMax) too_deep(mark(at));
    complete(found->second, 0);
  }

  void OnScalar(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    Node node;
    node.kind = Node::Kind::scalar;
    node.mark = mark(at);
    node.text = value;
    const bool quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    node.quoted = quoted;
    if (tag == "!") check_closed(at.pos, node.mark);
    check_tag(tag, node.mark);
    count({1, value.size()}, node.mark);
    // The scanner gives empty plain scalars as text where a tag or an anchor stands before them.
    if (!quoted && (value.empty() || value == "~" || value == "null" || value == "Null" || value == "NULL"))
      node.kind = Node::Kind::null;
    complete(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(Node::Kind::list, at, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(Node::Kind::map, at, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    std::optional<std::string> key = {};  // of a map: read, its value is still to come
    Mark key_mark = {};
    bool key_is_duplicate = false;
    std::unordered_set<std::string> keys = {};
  };

  [[noreturn]] void refuse(std::string message, Mark at, Code code) { throw Refusal{path(), std::move(message), at, code}; }
  [[noreturn]] void too_deep(Mark at) {
    refuse("nested deeper than " + std::to_string(kYamlDepthMax) + " levels", at, Code::syntax);
  }

  std::string path() const {
    std::string text;
    for (const auto& frame : frames_) {
      if (frame.node.is_list())
        text = child(text, frame.node.items.size());
      else if (frame.key)
        text = child(text, *frame.key);
    }
    return text;
  }

  void count(Size size, Mark at) {
    nodes_ += size.nodes;
    bytes_ += size.bytes;
    if (nodes_ > kYamlNodesMax)
      refuse("more than " + std::to_string(kYamlNodesMax) + " nodes, aliases expanded", at, Code::syntax);
    if (bytes_ > kYamlTextBytesMax)
      refuse("more than " + std::to_string(kYamlTextBytesMax) + " bytes of text, aliases expanded", at, Code::syntax);
  }

  void check_tag(const std::string& tag, Mark at) {
    static constexpr std::string_view kCore = "tag:yaml.org,2002:";
    static constexpr std::string_view kTypes[] = {"str", "int", "float", "bool", "null", "seq", "map"};
    if (tag.empty() || tag == "?" || tag == "!") return;
    if (tag.starts_with(kCore) && std::ranges::find(kTypes, std::string_view(tag).substr(kCore.size())) != std::end(kTypes))
      return;
    problems_.add(path(), "the tag '" + shown(tag) + "' is not supported", at, Code::unexpected_type);
  }

  // yaml-cpp 0.7 takes a quoted text that never ends for one that ends with the file, and so swallows whatever follows.
  void check_closed(int position, Mark at) {
    auto from = position < 0 ? text_.size() : static_cast<std::size_t>(position);
    // An anchor or a tag may stand before the quote.
    while (from < text_.size() && (text_[from] == '&' || text_[from] == '!'))
      from = text_.find_first_not_of(" \t\r\n", text_.find_first_of(" \t\r\n", from));
    if (from >= text_.size()) return;
    const char quote = text_[from];
    if (quote != '"' && quote != '\'') return;
    for (auto i = from + 1; i < text_.size(); ++i) {
      const bool pair = i + 1 < text_.size() && quote == '\'' && text_[i] == quote && text_[i + 1] == quote;
      if (pair || (quote == '"' && text_[i] == '\\'))
        ++i;
      else if (text_[i] == quote)
        return;
    }
    refuse("the quoted text that begins here is not closed", at, Code::syntax);
  }

  void open(Node::Kind kind, const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor) {
    Frame frame;
    frame.node.kind = kind;
    frame.node.mark = mark(at);
    frame.anchor = anchor;
    check_tag(tag, frame.node.mark);
    count({1, 0}, frame.node.mark);
    if (frames_.size() >= kYamlDepthMax) too_deep(frame.node.mark);
    if (!frames_.empty() && frames_.back().node.is_map() && !frames_.back().key)
      refuse("a key must be plain text; is a bracket not closed, or a {{template}} not in quotes?", frame.node.mark,
             Code::unexpected_type);
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.node.is_map()) merge(frame);
    complete(std::move(frame.node), frame.anchor);
  }

  // A node has been read whole: it is a key, a value, an item, or the document.
  void complete(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      count(size_of(node), node.mark);
      anchors_.insert_or_assign(anchor, node);
    }
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.is_list()) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.key) {
      take_key(frame, std::move(node));
    } else {
      if (!frame.key_is_duplicate) frame.node.members.push_back({std::move(*frame.key), frame.key_mark, std::move(node)});
      frame.key.reset();
    }
  }

  void take_key(Frame& frame, Node node) {
    if (node.is_list() || node.is_map()) refuse("a key must be plain text", node.mark, Code::unexpected_type);
    const auto key = node.is_null() ? std::string("null") : std::move(node.text);
    frame.key_is_duplicate = !frame.keys.insert(key).second;
    frame.key_mark = node.mark;
    frame.key = key;
    if (!frame.key_is_duplicate) return;
    // The first one is kept; which of the two was meant, only the author knows.
    std::string message = "this key stands here twice";
    const auto& members = frame.node.members;
    const auto first = problems_.full()
                           ? members.end()
                           : std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
    if (first != members.end()) message += ", first in line " + std::to_string(first->mark.line);
    problems_.add(path(), message, frame.key_mark, Code::duplicate_key);
  }

  // "<<: *base" takes over the members that the map does not have itself.
  void merge(Frame& frame) {
    if (!frame.keys.contains("<<")) return;
    auto& members = frame.node.members;
    const auto found = std::find_if(members.begin(), members.end(), [](const Member& m) { return m.key == "<<"; });
    const Node source = std::move(found->value);
    members.erase(found);
    const auto add = [&](const Node& from) {
      for (const auto& member : from.members)
        if (frame.keys.insert(member.key).second) members.push_back(member);
    };
    const auto& list = source.items;
    const bool maps =
        source.is_map() || (source.is_list() && std::all_of(list.begin(), list.end(), [](const Node& n) { return n.is_map(); }));
    if (!maps) problems_.add(path(), "'<<' takes a map or a list of maps", source.mark, Code::unexpected_type);
    add(source);
    for (const auto& item : list) add(item);
  }

  std::string_view text_;
  Problems& problems_;
  int first_line_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Node> anchors_;
  Node root_;
  Mark began_;
  bool finished_ = false;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
};

// An istream over text that is not copied.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf asks for it, and never writes
    setg(begin, begin, begin + text.size());
  }
};

// yaml-cpp quotes single bytes of what it did not understand.
std::string syntax_message(const std::string& what) {
  return "not valid YAML: " + std::string(base::utf8_prefix(base::utf8_lossy(what), 200));
}

// Where a byte stands.
Mark mark_of(std::string_view text, std::size_t at, int first_line) {
  const auto before = text.substr(0, at);
  const auto line_begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return {first_line + static_cast<int>(std::count(before.begin(), before.end(), '\n')), static_cast<int>(at - line_begin) + 1};
}

std::size_t first_bad_byte(std::string_view text) {
  std::size_t good = 0, bad = text.size();  // a prefix of `good` bytes is valid, one of `bad` is not
  while (bad - good > 4) {
    const auto middle = base::utf8_prefix(text, good + (bad - good) / 2).size();
    if (middle <= good) break;
    (base::valid_utf8(text.substr(good, middle - good)) ? good : bad) = middle;
  }
  // The last few, a character at a time.
  for (std::size_t bytes = 1; bytes <= 4 && good < text.size(); ++bytes)
    if (base::valid_utf8(text.substr(good, bytes))) good += bytes, bytes = 0;
  return good;
}

bool is_word(const Node& node, std::initializer_list<std::string_view> words) {
  const auto lower = base::to_lower(base::utf8_prefix(node.text, 8));
  return std::find(words.begin(), words.end(), lower) != words.end() && node.text.size() <= 8;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& member : members)
    if (member.key == key) return member.value.is_null() ? nullptr : &member.value;
  return nullptr;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

std::optional<bool> as_bool(const Node& node) {
  if (!node.is_scalar()) return std::nullopt;
  if (is_word(node, {"true", "yes", "on"})) return true;
  if (is_word(node, {"false", "no", "off"})) return false;
  return std::nullopt;
}

std::optional<std::int64_t> as_int(const Node& node) {
  if (!node.is_scalar()) return std::nullopt;
  return base::parse_int(base::trim(node.text));
}

std::optional<double> as_number(const Node& node) {
  if (!node.is_scalar()) return std::nullopt;
  const auto text = base::trim(node.text);
  double value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || text.empty() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::string> as_text(const Node& node) {
  if (!node.is_scalar()) return std::nullopt;
  return node.text;
}

std::vector<std::string> texts_of(const Node* node) {
  std::vector<std::string> texts;
  if (!node) return texts;
  if (const auto text = as_text(*node)) texts.push_back(*text);
  for (const auto& item : node->items)
    if (const auto text = as_text(item)) texts.push_back(*text);
  return texts;
}

bool check_bytes(std::string_view text, Problems& problems, int first_line) {
  const auto refuse = [&](std::string_view message, std::size_t at) {
    problems.add("", message, mark_of(text, at, first_line), Code::syntax);
    return false;
  };
  constexpr auto kBytesMax = base::limits::kConfigBytesMax;
  if (text.size() > kBytesMax) return refuse("the file is too big: more than " + std::to_string(kBytesMax) + " bytes", kBytesMax);
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) return refuse("the file contains a NUL byte", nul);
  if (!base::valid_utf8(text)) return refuse("the file is not valid UTF-8", first_bad_byte(text));
  return true;
}

std::optional<Node> parse_yaml(std::string_view text, Problems& problems, int first_line) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // the byte order mark
  if (!check_bytes(text, problems, first_line)) return std::nullopt;
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  Builder builder(text, problems, first_line);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return Node{.mark = {first_line, 1}, .text = {}, .items = {}, .members = {}};
    Builder second(text, problems, first_line);
    if (parser.HandleNextDocument(second))
      problems.add("", "the file holds more than one YAML document", second.began(), Code::syntax);
  } catch (const YAML::Exception& error) {
    problems.add("", syntax_message(error.msg), builder.mark(error.mark), Code::syntax);
    return std::nullopt;
  } catch (const Refusal& refusal) {
    problems.add(refusal.path, refusal.message, refusal.mark, refusal.code);
    return std::nullopt;
  }
  return builder.take();
}

}  // namespace app
