#include "app/templates.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace app {

namespace {

// What a placeholder came to.
enum class Outcome {
  value,
  missing,    // an environment variable or secret that is not set
  untouched,  // not ours
};

struct Resolved {
  Outcome outcome = Outcome::untouched;
  std::string text;  // the value, or the name of what is missing
};

bool plain_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// The part before the first `??` that stands outside of quotes; `rest` keeps what follows it.
std::string_view next_alternative(std::string_view& rest) {
  char quote = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (quote != 0) {
      if (rest[i] == quote) quote = 0;
    } else if (rest[i] == '\'' || rest[i] == '"') {
      quote = rest[i];
    } else if (rest.substr(i).starts_with("??")) {
      const auto part = rest.substr(0, i);
      rest.remove_prefix(i + 2);
      return base::trim(part);
    }
  }
  return base::trim(std::exchange(rest, {}));
}

std::optional<std::string_view> literal(std::string_view expression) {
  if (expression.size() < 2 || (expression.front() != '\'' && expression.front() != '"')) return std::nullopt;
  if (expression.back() != expression.front()) return std::nullopt;
  const auto inner = expression.substr(1, expression.size() - 2);
  return inner.find(expression.front()) == std::string_view::npos ? std::optional(inner) : std::nullopt;
}

class Expander {
 public:
  Expander(const Node& root, const llm::Environment& environment, const SystemValues& system, Problems& problems,
           const std::function<bool(std::string_view)>& quiet)
      : environment_(environment), system_(system), problems_(problems), quiet_(quiet) {
    // Copies: the tree changes while they are used.
    if (const auto* app = root.find("app")) app_ = *app;
    if (const auto* dev = root.find("dev"))
      if (const auto* variables = dev->find("variables")) variables_ = *variables;
  }

  // Recursion is bounded by kYamlDepthMax.
  void walk(Node& node, const std::string& path) {
    if (node.is_scalar() && node.text.find("{{") != std::string::npos) scalar(node, path);
    for (std::size_t i = 0; i < node.items.size(); ++i) walk(node.items[i], child(path, i));
    for (auto& member : node.members) walk(member.value, child(path, member.key));
  }

 private:
  void scalar(Node& node, const std::string& path) {
    missing_.clear();
    failed_ = from_environment_ = false;
    auto text = expand(node.text, 0);
    if (failed_) {
      problems_.add(path,
                    "its templates refer to each other in a circle, or are nested deeper than " +
                        std::to_string(kTemplateDepthMax) + " or longer than fits",
                    node.mark, Code::placeholder_cycle);
      return;
    }
    node.text = std::move(text);
    node.from_environment = from_environment_;
    if (missing_.empty()) return;
    node.unresolved = true;
    if (!quiet_(path)) problems_.warn(path, "the environment variable '" + shown(missing_) + "' is not set", node.mark);
  }

  std::string expand(std::string_view text, int depth) {
    if (depth > kTemplateDepthMax) failed_ = true;
    // The text of a variable costs its length each time it is used, whatever becomes of it.
    if (depth > 0) count(text.size());
    std::string out;
    while (!failed_) {
      const auto open = text.find("{{");
      const auto close = open == std::string_view::npos ? open : text.find("}}", open + 2);
      if (close == std::string_view::npos) return out.append(text);
      out += text.substr(0, open);
      const auto placeholder = text.substr(open, close + 2 - open);
      auto resolved = evaluate(placeholder.substr(2, placeholder.size() - 4), depth);
      if (resolved.outcome == Outcome::missing && missing_.empty()) missing_ = resolved.text;
      const std::string_view piece = resolved.outcome == Outcome::value ? std::string_view(resolved.text) : placeholder;
      out += piece;
      text.remove_prefix(close + 2);
    }
    return out;
  }

  void count(std::size_t bytes) {
    ++steps_;
    bytes_ += bytes;
    if (steps_ > kTemplateStepsMax || bytes_ > kYamlTextBytesMax) failed_ = true;
  }

  Resolved evaluate(std::string_view expression, int depth) {
    Resolved best;
    // Filters belong to run time.
    if (expression.find('|') != std::string_view::npos) return best;
    for (auto rest = expression; !rest.empty() && !failed_;) {
      const auto part = next_alternative(rest);
      auto resolved = lookup(part, depth);
      if (resolved.outcome == Outcome::value) return resolved;
      if (resolved.outcome == Outcome::missing && best.outcome == Outcome::untouched) best = std::move(resolved);
    }
    return best;
  }

  Resolved lookup(std::string_view name, int depth) {
    count(0);
    if (const auto text = literal(name)) return {Outcome::value, std::string(*text)};
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return plain_name(name) ? nested(variables_.find(name), depth) : Resolved{};
    const auto space = name.substr(0, dot);
    const auto key = name.substr(dot + 1);
    if (!plain_name(key)) return {};
    if (space == "env" || space == "secret") {
      auto value = environment_ ? environment_(key) : std::nullopt;
      if (!value) return {Outcome::missing, std::string(key)};
      from_environment_ = true;
      return {Outcome::value, base::utf8_lossy(*value)};
    }
    if (space == "app") return nested(app_.find(key == "id" ? "app_id" : key), depth);
    if (space == "sys")
      if (auto value = system_(key)) return {Outcome::value, base::utf8_lossy(*value)};
    return {};
  }

  // A scalar of the file itself, which may hold templates in turn.
  Resolved nested(const Node* node, int depth) {
    if (!node || !node->is_scalar()) return {};
    const auto outer = std::exchange(missing_, {});
    auto text = expand(node->text, depth + 1);
    const auto inner = std::exchange(missing_, outer);
    if (!inner.empty()) return {Outcome::missing, inner};
    return {Outcome::value, std::move(text)};
  }

  const llm::Environment& environment_;
  const SystemValues& system_;
  Problems& problems_;
  const std::function<bool(std::string_view)>& quiet_;
  Node app_;
  Node variables_;
  std::string missing_;  // the first variable without a value in the scalar at hand
  bool failed_ = false;
  bool from_environment_ = false;  // the scalar at hand
  std::size_t steps_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

void expand_templates(Node& root, const llm::Environment& environment, const SystemValues& system, Problems& problems,
                      const std::function<bool(std::string_view path)>& quiet) {
  Expander(root, environment, system, problems, quiet).walk(root, "");
}

std::string unset_variable(const Node& unresolved) {
  const std::string_view text = unresolved.text;
  const auto open = text.find("{{");
  const auto close = text.find("}}", open == std::string_view::npos ? text.size() : open);
  if (close == std::string_view::npos) return "its variable";
  auto name = base::trim(text.substr(open + 2, close - open - 2));
  for (const auto* space : {"env.", "secret."})
    if (name.starts_with(space)) name.remove_prefix(std::string_view(space).size());
  const bool plain = name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == name.npos;
  return plain && name.size() <= 64 ? std::string(name) : "its variable";
}

}  // namespace app
