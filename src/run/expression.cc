#include "run/expression.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <variant>

#include "run/hook_template.h"

namespace run {

namespace json = boost::json;

namespace {

constexpr std::size_t kBytesMax = 4096;
constexpr int kDepthMax = 64;

using Value = std::variant<std::monostate, bool, double, std::string>;

bool truth(const Value& v) {
  if (const auto* b = std::get_if<bool>(&v)) return *b;
  if (const auto* n = std::get_if<double>(&v)) return *n != 0;
  const auto* s = std::get_if<std::string>(&v);
  return s && !s->empty();
}

double number(const Value& v) {
  if (const auto* n = std::get_if<double>(&v)) return *n;
  if (const auto* b = std::get_if<bool>(&v)) return *b ? 1 : 0;
  return 0;
}

int compare(const Value& a, const Value& b) {
  const auto* x = std::get_if<std::string>(&a);
  const auto* y = std::get_if<std::string>(&b);
  if (x && y) return x->compare(*y);
  if (x || y) return x ? 1 : -1;
  return number(a) < number(b) ? -1 : number(a) > number(b) ? 1 : 0;
}

bool equal(const Value& a, const Value& b) {
  return std::holds_alternative<std::string>(a) == std::holds_alternative<std::string>(b) && compare(a, b) == 0;
}

Value value_of(const json::value* v) {
  if (!v || v->is_null()) return {};
  if (v->is_bool()) return v->get_bool();
  if (v->is_number()) return v->to_number<double>();
  return text_of(v);
}

// Recursive descent; the first error stays.
class Parser {
 public:
  Parser(std::string_view text, const json::value& variables) : text_(text), variables_(variables) {}

  base::Result<bool> run() {
    const auto value = any_of();
    space();
    if (at_ < text_.size()) fail("something unexpected");
    if (error_) return base::fail(base::Errc::invalid_argument, *error_);
    return truth(value);
  }

 private:
  void fail(std::string_view what) {
    if (!error_) error_ = std::string(what) + " at character " + std::to_string(at_ + 1);
  }
  void space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool take(std::string_view symbol) {
    space();
    if (error_ || !text_.substr(at_).starts_with(symbol)) return false;
    const bool word = std::isalpha(static_cast<unsigned char>(symbol.front()));
    if (word && at_ + symbol.size() < text_.size() && in_name(text_[at_ + symbol.size()])) return false;
    at_ += symbol.size();
    return true;
  }
  static bool in_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; }

  Value any_of() {
    auto left = all_of();
    while (take("or") || take("||")) {
      const auto right = all_of();
      left = truth(left) || truth(right);
    }
    return left;
  }
  Value all_of() {
    auto left = comparison();
    while (take("and") || take("&&")) {
      const auto right = comparison();
      left = truth(left) && truth(right);
    }
    return left;
  }
  Value comparison() {
    if (take("not")) return !truth(nested([this] { return comparison(); }));
    auto left = sum();
    for (;;) {
      if (take("==")) {
        left = equal(left, sum());
      } else if (take("!=")) {
        left = !equal(left, sum());
      } else if (take("<=")) {
        left = compare(left, sum()) <= 0;
      } else if (take(">=")) {
        left = compare(left, sum()) >= 0;
      } else if (take("<")) {
        left = compare(left, sum()) < 0;
      } else if (take(">")) {
        left = compare(left, sum()) > 0;
      } else {
        return left;
      }
    }
  }
  Value sum() {
    auto left = product();
    for (;;) {
      if (take("+"))
        left = number(left) + number(product());
      else if (take("-"))
        left = number(left) - number(product());
      else
        return left;
    }
  }
  Value product() {
    auto left = primary();
    for (;;) {
      if (take("*")) {
        left = number(left) * number(primary());
      } else if (take("/")) {
        const auto by = number(primary());
        left = by == 0 ? 0.0 : number(left) / by;
      } else if (take("%")) {
        const auto by = number(primary());
        left = by == 0 ? 0.0 : std::fmod(number(left), by);
      } else {
        return left;
      }
    }
  }
  Value primary() {
    space();
    if (take("(")) {
      auto inner = nested([this] { return any_of(); });
      if (!take(")")) fail("a ')' is missing");
      return inner;
    }
    if (take("-")) return -number(nested([this] { return primary(); }));
    if (at_ < text_.size() && text_[at_] == '!' && !text_.substr(at_).starts_with("!=")) {
      ++at_;
      return !truth(nested([this] { return primary(); }));
    }
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return quoted();
    if (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) return literal();
    return named();
  }
  Value quoted() {
    const char quote = text_[at_];
    const auto end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) {
      fail("a text has no end");
      return {};
    }
    std::string out(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return out;
  }
  Value literal() {
    double value = 0;
    const auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (code != std::errc()) fail("no number");
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  Value named() {
    const auto begin = at_;
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    const auto word = text_.substr(begin, at_ - begin);
    if (word == "and" || word == "or" || word == "not") fail("a value is missing");
    if (word.empty()) fail(at_ == text_.size() ? "it ends too early" : "something unexpected");
    if (word == "true" || word == "True") return true;
    if (word == "false" || word == "False") return false;
    return value_of(find_path(variables_, word));
  }
  template <class F>
  Value nested(F parse) {
    if (++depth_ > kDepthMax) fail("it is nested too deeply");
    auto value = error_ ? Value{} : parse();
    --depth_;
    return value;
  }

  std::string_view text_;
  const json::value& variables_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::optional<std::string> error_;
};

}  // namespace

base::Result<bool> evaluate(std::string_view expression, const json::value& variables) {
  if (expression.size() > kBytesMax) return base::fail(base::Errc::invalid_argument, "it is longer than 4096 bytes");
  return Parser(expression, variables).run();
}

}  // namespace run
