#include "tool/shell_words.h"

#include <algorithm>
#include <utility>

namespace tool {

namespace {

constexpr int kNestingMax = 16;

void note_quote(ShellWord& word) {
  word.quoted = true;
  word.plain_until = std::min(word.plain_until, word.text.size());
}

int digit_of(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | ((code >> 12) & 0x0f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

}  // namespace

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; }
bool is_metacharacter(char c) { return std::string_view(" \t\n;&|()<>").find(c) != std::string_view::npos; }

void WordReader::skip_blanks() {
  while (at_ < text_.size() && (is_blank(text_[at_]) || text_.substr(at_).starts_with("\\\n"))) at_ += text_[at_] == '\\' ? 2 : 1;
}

bool WordReader::enter() {
  if (depth_ < kNestingMax) {
    ++depth_;
    return true;
  }
  doubt(doubts_.computed, "substitutions nested too deep");
  at_ = text_.size();
  return false;
}

void WordReader::nested() {
  if (!enter()) return;
  substitution();
  --depth_;
}

ShellWord WordReader::word() {
  ShellWord word;
  const bool outer_brace = std::exchange(brace_, false);
  while (at_ < text_.size() && !is_metacharacter(text_[at_])) {
    const char c = text_[at_];
    if (c == '\\') {
      if (next() != '\n') {
        note_quote(word);
        if (at_ + 1 < text_.size()) word.text += next();
      }
      at_ = std::min(at_ + 2, text_.size());
    } else if (c == '\'') {
      single_quotes(word);
    } else if (c == '"') {
      double_quotes(word);
    } else if (c == '$') {
      dollar(word, Inside::nothing);
    } else if (c == '`') {
      backquotes(word, Inside::nothing);
    } else {
      plain(word, c);
    }
  }
  brace_ = outer_brace;
  return word;
}

void WordReader::plain(ShellWord& word, char c) {
  ++at_;
  word.text += c;
  if (c == '*' || c == '?' || (c == ']' && word.text.find('[') != std::string::npos)) word.pattern = true;
  const bool list = brace_ && (c == ',' || word.text.ends_with(".."));
  const bool home = c == '~' && word.text.size() == 1 && !word.quoted;
  if (c == '{') brace_ = true;
  if (list) word.splits = true;
  if (list || home) {
    word.computed = true;
    word.certain_from = word.text.size();
  }
}

void WordReader::single_quotes(ShellWord& word) {
  note_quote(word);
  const auto end = text_.find('\'', at_ + 1);
  if (end == std::string_view::npos) doubt(doubts_.hidden, "a quote that is not closed");
  const auto until = std::min(end, text_.size());
  word.text += text_.substr(at_ + 1, until - at_ - 1);
  at_ = std::min(until + 1, text_.size());
}

void WordReader::double_quotes(ShellWord& word) {
  note_quote(word);
  for (++at_; at_ < text_.size() && text_[at_] != '"';) {
    const char c = text_[at_];
    if (c == '$') {
      dollar(word, Inside::quotes);
    } else if (c == '`') {
      backquotes(word, Inside::quotes);
    } else if (c == '\\' && std::string_view("$`\"\\\n").find(next()) != std::string_view::npos) {
      if (next() != '\n') word.text += next();
      at_ += 2;
    } else {
      word.text += c;
      ++at_;
    }
  }
  if (at_ >= text_.size()) doubt(doubts_.hidden, "a quote that is not closed");
  at_ = std::min(at_ + 1, text_.size());
}

// $'...': not every shell reads it so, which is why the word counts as computed.
void WordReader::ansi_quotes(ShellWord& word) {
  note_quote(word);
  word.computed = true;
  for (at_ += 2; at_ < text_.size() && text_[at_] != '\'';) {
    if (text_[at_] != '\\') {
      word.text += text_[at_++];
      continue;
    }
    const char c = next();
    at_ = std::min(at_ + 2, text_.size());
    static constexpr std::string_view kLetters = "abeEfnrtv", kMeant = "\a\b\x1b\x1b\f\n\r\t\v";
    const bool hexadecimal = c == 'x' || c == 'u' || c == 'U';
    if (const auto letter = kLetters.find(c); letter != std::string_view::npos) {
      word.text += kMeant[letter];
    } else if (hexadecimal || is_digit(c)) {
      const int base = hexadecimal ? 16 : 8;
      auto left = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 2;
      auto code = hexadecimal ? 0u : static_cast<unsigned>(digit_of(c));
      for (; left > 0 && at_ < text_.size() && digit_of(text_[at_]) < base; --left)
        code = code * static_cast<unsigned>(base) + static_cast<unsigned>(digit_of(text_[at_++]));
      append_utf8(word.text, code);
    } else {
      word.text += c;
    }
  }
  if (at_ >= text_.size()) doubt(doubts_.hidden, "a quote that is not closed");
  at_ = std::min(at_ + 1, text_.size());
}

void WordReader::expanded(ShellWord& word, std::size_t from, Inside inside) {
  word.plain_until = std::min(word.plain_until, word.text.size());
  word.text += text_.substr(from, at_ - from);
  word.computed = true;
  word.splits |= inside == Inside::nothing;
  word.certain_from = word.text.size();
}

void WordReader::dollar(ShellWord& word, Inside inside) {
  const auto from = at_;
  const char c = next();
  if (c == '\'' && inside == Inside::nothing) return ansi_quotes(word);
  if (c == '"' && inside == Inside::nothing) {
    ++at_;
    word.computed = true;
    return double_quotes(word);
  }
  if (c == '(') {
    if (next(2) == '(') doubt(doubts_.hidden, "arithmetic");
    at_ += 2;
    nested();
  } else if (c == '{') {
    parameter(word);
  } else if (c == '[') {
    doubt(doubts_.hidden, "arithmetic");
    at_ += 2;
  } else if (is_name_character(c) && !is_digit(c)) {
    for (++at_; at_ < text_.size() && is_name_character(text_[at_]);) ++at_;
  } else if (c != '\0' && (is_digit(c) || std::string_view("?#$!@*-").find(c) != std::string_view::npos)) {
    at_ += 2;
  } else {
    word.text += '$';
    ++at_;
    return;
  }
  expanded(word, from, inside);
}

// ${NAME} is plain; every operator may do more than it seems, so the rest is only searched for commands.
void WordReader::parameter(ShellWord& word) {
  at_ += 2;
  const auto from = at_;
  if (next(0) == '#') ++at_;
  while (at_ < text_.size() && is_name_character(text_[at_])) ++at_;
  if (next(0) == '}' && at_ > from) {
    ++at_;
    return;
  }
  doubt(doubts_.hidden, "an expansion with an operator");
  if (!enter()) return;
  ShellWord inner;
  while (at_ < text_.size() && text_[at_] != '}') {
    const char c = text_[at_];
    if (c == '\\')
      at_ = std::min(at_ + 2, text_.size());
    else if (c == '$')
      dollar(inner, Inside::quotes);
    else if (c == '`')
      backquotes(inner, Inside::quotes);
    else
      ++at_;
  }
  at_ = std::min(at_ + 1, text_.size());
  word.splits |= inner.splits;
  --depth_;
}

void WordReader::backquotes(ShellWord& word, Inside inside) {
  const auto from = at_;
  std::string text;
  for (++at_; at_ < text_.size() && text_[at_] != '`'; ++at_) {
    const bool escapes =
        text_[at_] == '\\' && (next() == '`' || next() == '\\' || next() == '$' || (next() == '"' && inside == Inside::quotes));
    if (escapes) ++at_;
    text += text_[at_];
  }
  if (at_ >= text_.size()) doubt(doubts_.hidden, "a quote that is not closed");
  at_ = std::min(at_ + 1, text_.size());
  if (enter()) {
    substitution_in(std::move(text));
    --depth_;
  }
  expanded(word, from, inside);
}

void WordReader::expansions() {
  ShellWord word;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\\')
      at_ = std::min(at_ + 2, text_.size());
    else if (c == '$')
      dollar(word, Inside::quotes);
    else if (c == '`')
      backquotes(word, Inside::quotes);
    else
      ++at_;
  }
}

}  // namespace tool
