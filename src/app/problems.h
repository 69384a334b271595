#pragma once
// The problems of one definition file, collected so that its author sees all of them at once.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace app {

// Line and column as editors count them, from 1. Zero: unknown.
struct Mark {
  int line = 0;
  int column = 0;
};

// Digitorn's diagnostic codes ("DGT-E0101"), as far as they are reported here.
enum class Code {
  syntax = 1,
  duplicate_key = 2,
  unexpected_type = 3,
  empty = 4,
  missing = 100,
  unknown = 101,
  wrong_type = 102,
  range = 103,
  choice = 104,
  format = 105,
  version = 107,
  color = 109,
  environment = 201,
  placeholder_cycle = 208,
  placeholder_unknown = 209,
  agent = 300,
  module = 301,
  tool = 302,
  hook_event = 304,
  hook_condition = 305,
  hook_action = 306,
  provider = 309,
  mcp_server = 312,
  duplicate_id = 400,
  no_entry_agent = 406,
  impossible_grant = 500,
};

// "DGT-E0101".
std::string name(Code code);

// One thing that is wrong with a file, or that its author should know.
struct Problem {
  std::string path;     // "agents[0].brain.modle"; "" the file as a whole
  std::string message;  // "unknown key, did you mean 'model'?"
  Mark mark;
  std::optional<Code> code = {};  // every error has one, most warnings have none
};

// "PATH: MESSAGE (FILE:LINE:COLUMN, CODE)".
std::string to_text(const Problem& problem, std::string_view file_name);

class Problems {
 public:
  explicit Problems(std::string file_name) : file_name_(std::move(file_name)) {}

  void add(std::string_view path, std::string_view message, Mark mark, Code code);
  void warn(std::string_view path, std::string_view message, Mark mark, std::optional<Code> code = std::nullopt);

  bool empty() const { return problems_.empty(); }
  // Further problems are only counted, so nobody needs to word them.
  bool full() const { return problems_.size() >= kProblemsMax; }
  const std::vector<Problem>& errors() const { return problems_; }
  const std::vector<Problem>& warnings() const { return warnings_; }
  std::size_t left_out() const { return left_out_; }  // errors beyond those kept
  // The warnings in words.
  std::vector<std::string> warning_texts() const;
  // All problems, joined by newlines. Not for an empty list.
  base::Error error() const;

 private:
  static constexpr std::size_t kProblemsMax = 100;
  std::string file_name_;
  std::vector<Problem> problems_;
  std::vector<Problem> warnings_;
  std::size_t left_out_ = 0;
};

// As an editor shows them, from the first line down.
void sort_by_position(std::vector<Problem>& problems);

// "a.b", "b" where the parent is the document itself.
std::string child(std::string_view path, std::string_view key);
std::string child(std::string_view path, std::size_t index);

// A word of the file as it may stand in a message: bounded, valid UTF-8, one line.
std::string shown(std::string_view text);

// ", did you mean 'x'?" or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace app
