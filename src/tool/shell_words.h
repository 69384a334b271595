#pragma once
// Reads the words of a command line: quotes, escapes, expansions. The commands in substitutions are left to who derives.
#include <string>
#include <string_view>

#include "tool/shell_syntax.h"

namespace tool {

bool is_blank(char c);
bool is_digit(char c);
bool is_name_character(char c);
bool is_metacharacter(char c);  // ends a word

class WordReader {
 public:
  // `text` and `doubts` outlive it.
  WordReader(std::string_view text, int depth, Doubts& doubts) : text_(text), depth_(depth), doubts_(doubts) {}
  virtual ~WordReader() = default;

  // Only what is expanded, as in a here-document.
  void expansions();

 protected:
  static void doubt(std::string& kind, std::string reason) {
    if (kind.empty()) kind = std::move(reason);
  }
  char next(std::size_t ahead = 1) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void skip_blanks();
  ShellWord word();
  // What stands behind "$(" or "(" up to its end, within bounds.
  void nested();

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_;
  Doubts& doubts_;

 private:
  virtual void substitution() = 0;                     // the commands from at_ up to ')', which is taken
  virtual void substitution_in(std::string text) = 0;  // the commands in a text of its own

  enum class Inside { nothing, quotes };
  void plain(ShellWord& word, char c);
  void single_quotes(ShellWord& word);
  void double_quotes(ShellWord& word);
  void ansi_quotes(ShellWord& word);
  void dollar(ShellWord& word, Inside inside);
  void parameter(ShellWord& word);
  void backquotes(ShellWord& word, Inside inside);
  // What was read since `from` becomes something else when it runs.
  void expanded(ShellWord& word, std::size_t from, Inside inside);
  bool enter();

  bool brace_ = false;  // of the word that is being read
};

}  // namespace tool
