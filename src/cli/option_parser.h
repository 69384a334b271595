#pragma once
// One command's options: CLI11 with help and errors in the words of this program. For the files that define commands.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "cli/output.h"
#include "cli/parser.h"

namespace cli {

inline constexpr const char* kJson = "print machine-readable JSON on stdout";

class Formatter final : public CLI::Formatter {
 public:
  explicit Formatter(std::string usage) : usage_(std::move(usage)) { column_width(28); }
  std::string make_usage(const CLI::App*, std::string) const override { return "Usage: " + usage_ + "\n"; }

 private:
  std::string usage_;
};

// One command's parser.
class Parser {
 public:
  Parser(const std::string& name, const std::string& usage, const std::string& description, const std::string& footer = "")
      : app(description, "outlast " + name), name_(name) {
    app.formatter(std::make_shared<Formatter>("outlast " + name + " " + usage));
    app.get_help_ptr()->description("explain this command");
    if (!footer.empty()) app.footer(footer);
  }

  // Nothing when the words were read; else the code to end with.
  std::optional<int> parse(const Words& words) {
    Words backwards(words.rbegin(), words.rend());
    try {
      app.parse(backwards);
    } catch (const CLI::CallForHelp&) {
      put(app.help());
      return kOk;
    } catch (const CLI::ParseError& error) {
      return complain(kUsage, text_of(error) + "\nSee `outlast " + name_ + " --help`.");
    }
    return std::nullopt;
  }

  CLI::App app;

 private:
  std::string text_of(const CLI::ParseError& error) const {
    const auto extras = app.remaining();
    if (extras.empty()) return error.what();
    if (!extras.front().starts_with('-')) return "unexpected '" + extras.front() + "'; quote words that belong together";
    std::vector<std::string> flags;
    for (const auto* option : app.get_options())
      for (const auto& flag : option->get_lnames()) flags.push_back("--" + flag);
    const std::vector<std::string_view> candidates(flags.begin(), flags.end());
    const auto word = extras.front().substr(0, extras.front().find('='));
    const auto meant = base::nearest(word, candidates);
    return "unknown option '" + word + "'" + (meant ? ", did you mean '" + std::string(*meant) + "'?" : "");
  }
  std::string name_;
};

}  // namespace cli
