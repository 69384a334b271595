#include "tool/shell_syntax.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tool/shell_words.h"

namespace tool {

namespace {

constexpr std::size_t kCommandsMax = 2'000;

// Words behind which a command begins. What they steer does not matter: whatever may run is looked at.
constexpr std::array<std::string_view, 13> kTransparent = {"if", "then", "elif", "else", "fi", "while", "until",
                                                           "do", "done", "!",    "{",    "}",  "coproc"};

struct HereDocument {
  std::string delimiter;
  bool quoted = false, strips_tabs = false;
};

class Parser final : public WordReader {
 public:
  Parser(std::string_view text, int depth, CommandLine& line) : WordReader(text, depth, line.doubts), line_(line) {}

  void all() {
    commands('\0');
    if (!here_documents_.empty()) doubt(doubts_.hidden, "a here-document without its end");
  }

 private:
  void substitution() override { commands(')'); }
  void substitution_in(std::string text) override { Parser(text, depth_ + 1, line_).all(); }

  void finish(ShellCommand& command) {
    both_ways_ = false;
    if (command.is_empty()) return;
    if (line_.commands.size() < kCommandsMax)
      line_.commands.push_back(std::move(command));
    else
      doubt(doubts_.computed, "too many commands");
    command = {};
  }

  // Until `end`, which is taken; '\0': to the end of the text.
  void commands(char end) {
    ShellCommand command;
    while (skip_blanks(), at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        ++at_;
        finish(command);
        read_here_documents();
      } else if (c == '&' && next() == '>') {
        ++at_;
        redirect(command);
        both_ways_ = true;
      } else if (c == ';' || c == '&' || c == '|') {
        if (c == ';' && (next() == ';' || next() == '&')) doubt(doubts_.hidden, "case");
        ++at_;
        finish(command);
      } else if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '(') {
        parenthesis(command);
      } else if (c == ')') {
        ++at_;
        finish(command);
        if (end == ')') return;
        doubt(doubts_.hidden, "a closing parenthesis");
      } else if (c == '<' || c == '>') {
        redirect(command);
      } else {
        take(command, word());
      }
    }
    finish(command);
    if (end) doubt(doubts_.hidden, "a parenthesis that is not closed");
  }

  void parenthesis(ShellCommand& command) {
    if (!command.is_empty()) {
      doubt(doubts_.hidden, "a function, an array or a pattern in parentheses");
      ++at_;
      finish(command);
      return;
    }
    if (next() == '(') doubt(doubts_.hidden, "arithmetic");
    ++at_;
    nested();
  }

  void take(ShellCommand& command, ShellWord word) {
    // bash takes the word for one of the command before, other shells for a command of its own.
    if (both_ways_) doubt(doubts_.hidden, "&> before the end of a command");
    const bool redirects = at_ < text_.size() && (text_[at_] == '<' || text_[at_] == '>');
    if (redirects && is_descriptor(word)) return;
    if (command.is_empty() && !word.quoted && word.literal() && keyword(word.text)) return;
    if (command.words.empty() && is_assignment(word)) {
      if (word.text.find('[') < word.text.find('=')) doubt(doubts_.hidden, "an array");
      command.assignments.push_back(std::move(word));
    } else {
      command.words.push_back(std::move(word));
    }
  }

  // "2" of 2>file, "{name}" of {name}>file.
  static bool is_descriptor(const ShellWord& word) {
    if (word.quoted || word.text.empty()) return false;
    if (std::ranges::all_of(word.text, is_digit)) return true;
    const auto name = std::string_view(word.text).substr(1, word.text.size() - 2);
    return word.text.starts_with('{') && word.text.ends_with('}') && std::ranges::all_of(name, is_name_character);
  }

  // True: it is no word of a command.
  bool keyword(std::string_view text) {
    if (text == "case" || text == "function") doubt(doubts_.hidden, std::string(text));
    if (text == "coproc") doubt(doubts_.altered, "coproc");
    if (text == "[[") doubt(doubts_.hidden, "[[ … ]]");
    if (text == "for" || text == "select") loop();
    if (text == "time") {
      while (skip_blanks(), follows("-p") || follows("--")) at_ += 2;
    }
    return text == "case" || text == "function" || text == "for" || text == "select" || text == "time" ||
           std::ranges::find(kTransparent, text) != kTransparent.end();
  }

  bool follows(std::string_view word) const {
    const auto end = at_ + word.size();
    return text_.substr(at_).starts_with(word) && (end == text_.size() || is_blank(text_[end]));
  }

  // `for NAME in WORDS`: the words are no commands, but what is substituted in them runs.
  void loop() {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '(') return;  // ((...)): met as such
    ShellCommand names;
    names.assignments.push_back(word());
    names.assignments.back().text += '=';
    finish(names);
    while (skip_blanks(), at_ < text_.size() && text_[at_] == '\n') ++at_;
    if (!follows("in")) return;
    at_ += 2;
    while (skip_blanks(), at_ < text_.size() && !is_metacharacter(text_[at_]) && text_[at_] != '#') word();
  }

  void redirect(ShellCommand& command) {
    const auto op = text_.substr(at_);
    if (op.starts_with("<(") || op.starts_with(">(")) {
      at_ += 2;
      nested();
      command.words.push_back({.text = "/dev/fd/N", .computed = true});
      return;
    }
    if (op.starts_with("<<<")) {
      at_ += 3;
      operand();
    } else if (op.starts_with("<<")) {
      const bool strips_tabs = op.starts_with("<<-");
      at_ += strips_tabs ? 3 : 2;
      auto delimiter = operand();
      if (delimiter.computed) doubt(doubts_.hidden, "a here-document with a computed end");
      here_documents_.push_back({std::move(delimiter.text), delimiter.quoted, strips_tabs});
    } else {
      const bool two =
          op.starts_with(">>") || op.starts_with(">|") || op.starts_with("<>") || op.starts_with(">&") || op.starts_with("<&");
      const bool writes = op.front() == '>' || op.starts_with("<>");
      at_ += two ? 2 : 1;
      auto target = operand();
      const bool descriptor =
          two && op[1] == '&' && target.literal() && target.text.find_first_not_of("0123456789-") == std::string::npos;
      if (!descriptor) command.redirects.push_back({std::move(target), writes});
    }
  }

  ShellWord operand() {
    skip_blanks();
    auto read = word();
    if (read.text.empty() && !read.quoted) doubt(doubts_.hidden, "a redirection to nothing");
    return read;
  }

  // The bodies of those that the line before has announced.
  void read_here_documents() {
    for (const auto& document : std::exchange(here_documents_, {})) {
      std::string body;
      bool ended = false;
      while (!ended && at_ < text_.size()) {
        auto line = document_line(!document.quoted);
        if (document.strips_tabs) line.erase(0, std::min(line.find_first_not_of('\t'), line.size()));
        ended = line == document.delimiter;
        if (!ended) body += line + "\n";
      }
      if (!ended) doubt(doubts_.hidden, "a here-document without its end");
      if (!document.quoted) Parser(body, depth_ + 1, line_).expansions();
    }
  }

  // A line; where lines can go on, all of it.
  std::string document_line(bool goes_on) {
    std::string line;
    for (;;) {
      const auto end = std::min(text_.find('\n', at_), text_.size());
      line += text_.substr(at_, end - at_);
      at_ = std::min(end + 1, text_.size());
      const auto last = line.find_last_not_of('\\');
      const auto backslashes = line.size() - (last == std::string::npos ? 0 : last + 1);
      if (!goes_on || backslashes % 2 == 0 || at_ == text_.size()) return line;
      line.pop_back();
    }
  }

  CommandLine& line_;
  std::vector<HereDocument> here_documents_;
  bool both_ways_ = false;  // behind "&>"
};

// A line may go on anywhere, even within an operator; only between words is that taken apart here.
bool goes_on_inside(std::string_view text) {
  for (auto at = text.find("\\\n"); at != std::string_view::npos; at = text.find("\\\n", at + 1))
    if (at > 0 && !is_blank(text[at - 1])) return true;
  return false;
}

}  // namespace

bool is_assignment(const ShellWord& word) {
  const auto equals = word.text.find('=');
  if (equals == std::string::npos || equals == 0 || equals >= word.plain_until) return false;
  auto name = std::string_view(word.text).substr(0, equals);
  if (name.ends_with('+')) name.remove_suffix(1);
  if (const auto bracket = name.find('['); bracket != std::string_view::npos) name = name.substr(0, bracket);
  return !name.empty() && !is_digit(name.front()) && std::ranges::all_of(name, is_name_character);
}

CommandLine parse_command_line(std::string_view text) {
  CommandLine line;
  if (text.find('\0') != std::string_view::npos) line.doubts.computed = "a NUL byte";
  if (goes_on_inside(text)) line.doubts.hidden = "a line that goes on in the middle of a word";
  Parser(text, 0, line).all();
  return line;
}

}  // namespace tool
