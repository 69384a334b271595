#include "tool/command_wrappers.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

namespace tool {

namespace {

constexpr int kDepthMax = 16;

// A command whose first operand, behind its options, is a command. `valued`: options that take the next word; `rest`: options
// that take what is left of their own word; `longs`: long options that take the next word.
struct Wrapper {
  std::string_view name, flags, valued, rest, longs;
  int operands = 0;
};
constexpr Wrapper kWrappers[] = {
    {"env", "i0v", "uC", "", " unset chdir ", 0},
    {"sudo", "AbBEeHKklnPSVv", "CDghpRrTtuU", "",
     " close-from chdir group host prompt chroot role command-timeout type user other-user ", 0},
    {"doas", "Ln", "uCa", "", "", 0},
    {"nohup", "", "", "", "", 0},
    {"setsid", "cfw", "", "", "", 0},
    {"nice", "0123456789", "n", "", " adjustment ", 0},
    {"ionice", "t", "cn", "", " class classdata ", 0},
    {"timeout", "vf", "sk", "", " signal kill-after ", 1},
    {"stdbuf", "", "ioe", "", " input output error ", 0},
    {"time", "apvqV", "fo", "", " format output ", 0},
    {"xargs", "0rtxpo", "IdELnPsa", "iel", " arg-file delimiter max-args max-procs max-chars ", 0},
    {"exec", "cl", "a", "", "", 0},
    {"command", "pvV", "", "", "", 0},
    {"builtin", "", "", "", "", 0},
    {"busybox", "", "", "", "", 0},
    {"toybox", "", "", "", "", 0},
    {"chronic", "ve", "", "", "", 0},
};

// Run others too, in ways of their own.
constexpr std::array kOpaque = std::to_array<std::string_view>({"parallel",
                                                                "watch",
                                                                "flock",
                                                                "su",
                                                                "runuser",
                                                                "script",
                                                                "strace",
                                                                "ltrace",
                                                                "gdb",
                                                                "valgrind",
                                                                "perf",
                                                                "xvfb-run",
                                                                "systemd-run",
                                                                "unshare",
                                                                "nsenter",
                                                                "chroot",
                                                                "chrt",
                                                                "taskset",
                                                                "ssh",
                                                                "at",
                                                                "batch",
                                                                "expect",
                                                                "start-stop-daemon",
                                                                "setarch",
                                                                "firejail",
                                                                "bwrap",
                                                                "proot",
                                                                "fakeroot",
                                                                "unbuffer",
                                                                "crontab",
                                                                "tmux",
                                                                "screen",
                                                                "make",
                                                                "docker",
                                                                "podman",
                                                                "kubectl",
                                                                "pkexec",
                                                                "runcon",
                                                                "setpriv",
                                                                "coreutils",
                                                                "alias",
                                                                "fc",
                                                                "complete",
                                                                "bind",
                                                                "hash",
                                                                "enable",
                                                                "source",
                                                                ".",
                                                                "entr",
                                                                "tclsh",
                                                                "vim",
                                                                "ex"});

constexpr std::array kShells =
    std::to_array<std::string_view>({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "fish", "rbash"});
constexpr std::array kInterpreters = std::to_array<std::string_view>(
    {"python", "perl", "ruby", "node", "php", "lua", "awk", "gawk", "mawk", "nawk", "deno", "bun", "osascript", "git"});

// Builtins that change what other words mean.
constexpr std::array kAltering =
    std::to_array<std::string_view>({"export", "declare", "typeset", "local", "readonly", "let", "unset", "unalias", "set",
                                     "shopt", "mapfile", "readarray", "getopts", "wait", "history", "caller", "logout"});

bool among(const auto& names, std::string_view name) { return std::ranges::find(names, name) != std::ranges::end(names); }

void doubt(std::string& kind, std::string reason) {
  if (kind.empty()) kind = std::move(reason);
}

// Whether the program that a word names is certain.
bool names_program(const ShellWord& word) {
  const auto slash = word.text.rfind('/');
  const auto name_at = slash == std::string::npos ? 0 : slash + 1;
  return !word.splits && !word.pattern && word.certain_from <= name_at &&
         (!word.computed || word.certain_from > 0 || word.quoted);
}

class Unwrapper {
 public:
  explicit Unwrapper(CommandLine& line) : line_(line) {}

  void look_into(const ShellCommand& command, int depth) {
    if (command.words.empty()) return;
    if (depth > kDepthMax) return doubt(line_.doubts.computed, "commands wrapped too deep");
    const auto& word = command.words.front();
    if (!names_program(word)) return doubt(line_.doubts.computed, "the name of a command is computed: " + word.text);
    const auto name = std::string(base_name(word.text));
    if (word.computed) doubt(line_.doubts.altered, "the path of a command is computed");
    if (among(kShells, name)) return shell(command, name, depth);
    if (const auto* wrapper = find_wrapper(name)) return wrapped(command, *wrapper, depth);
    if (name == "eval") return eval(command, depth);
    if (name == "trap") return trap(command, depth);
    if (name == "find" || name == "fd" || name == "fdfind") return find(command, name, depth);
    if (among(kOpaque, name)) doubt(line_.doubts.hidden, "what " + name + " would run");
    interpreter(command, name);
    altering(command, name);
  }

 private:
  static const Wrapper* find_wrapper(std::string_view name) {
    const auto* found = std::ranges::find(kWrappers, name, &Wrapper::name);
    return found == std::end(kWrappers) ? nullptr : found;
  }

  void add(ShellCommand inner, int depth) {
    line_.commands.push_back(inner);
    look_into(inner, depth + 1);
  }

  void add_text(const std::string& text, int depth) {
    auto parsed = parse_command_line(text);
    if (depth >= kDepthMax) return doubt(line_.doubts.computed, "commands wrapped too deep");
    doubt(line_.doubts.altered, parsed.doubts.altered);
    doubt(line_.doubts.hidden, parsed.doubts.hidden);
    doubt(line_.doubts.computed, parsed.doubts.computed);
    for (auto& command : parsed.commands) add(std::move(command), depth);
  }

  // What stands behind the options; where these are not understood, the line is in doubt.
  struct Operands {
    std::size_t first = 1;
    std::string replaced = {};  // xargs -I: stands for what is read
    bool looks_up = false;      // command -v: nothing runs
  };
  Operands skip_options(const ShellCommand& command, const Wrapper& wrapper) {
    Operands operands;
    const auto& words = command.words;
    for (; operands.first < words.size(); ++operands.first) {
      const auto& text = words[operands.first].text;
      if (!words[operands.first].literal()) doubt(line_.doubts.hidden, "what " + std::string(wrapper.name) + " would run");
      if (text == "--") {
        ++operands.first;
        break;
      }
      if (wrapper.name == "env" && text == "-") continue;
      if (text.size() < 2 || text.front() != '-') break;
      if (text[1] == '-')
        long_option(words, operands, wrapper);
      else
        short_options(words, operands, wrapper);
    }
    return operands;
  }

  void long_option(const std::vector<ShellWord>& words, Operands& operands, const Wrapper& wrapper) {
    const auto option = words[operands.first].text.substr(2);
    if (option.starts_with("replace")) {
      operands.replaced = option.size() > 8 ? option.substr(8) : "{}";
      return;
    }
    if (option.starts_with("split-string")) doubt(line_.doubts.computed, "env --split-string");
    if (option.find('=') != std::string::npos) return;
    if (wrapper.longs.find(" " + option + " ") != std::string_view::npos) {
      ++operands.first;
    } else if (option != "foreground" && option != "preserve-status" && option != "null" && option != "ignore-environment" &&
               option != "no-run-if-empty") {
      doubt(line_.doubts.hidden, "an option of " + std::string(wrapper.name));
    }
  }

  void short_options(const std::vector<ShellWord>& words, Operands& operands, const Wrapper& wrapper) {
    const auto& text = words[operands.first].text;
    for (std::size_t i = 1; i < text.size(); ++i) {
      const char c = text[i];
      if (wrapper.name == "command" && (c == 'v' || c == 'V')) operands.looks_up = true;
      if (wrapper.name == "sudo" && c == 'e') operands.looks_up = true;
      if (wrapper.flags.find(c) != std::string_view::npos) continue;
      if (wrapper.rest.find(c) != std::string_view::npos) {
        if (c == 'i') operands.replaced = i + 1 < text.size() ? text.substr(i + 1) : "{}";
        return;
      }
      if (wrapper.valued.find(c) == std::string_view::npos)
        return doubt(line_.doubts.hidden, "an option of " + std::string(wrapper.name));
      const bool attached = i + 1 < text.size();
      if (!attached) ++operands.first;
      if (wrapper.name == "xargs" && c == 'I')
        operands.replaced = attached ? text.substr(i + 1) : operands.first < words.size() ? words[operands.first].text : "";
      return;
    }
  }

  void wrapped(const ShellCommand& command, const Wrapper& wrapper, int depth) {
    auto operands = skip_options(command, wrapper);
    if (operands.looks_up) return;
    ShellCommand inner;
    auto at = operands.first + static_cast<std::size_t>(wrapper.operands);
    const bool assigns = wrapper.name == "env" || wrapper.name == "sudo";
    for (; assigns && at < command.words.size() && command.words[at].text.find('=') != std::string::npos; ++at)
      inner.assignments.push_back(command.words[at]);
    for (; at < command.words.size(); ++at) inner.words.push_back(command.words[at]);
    if (!operands.replaced.empty())
      compute(inner, operands.replaced);
    else if (wrapper.name == "xargs" && !inner.words.empty())
      inner.words.push_back(unknown_words());
    if (!inner.words.empty() || !inner.assignments.empty()) add(std::move(inner), depth);
  }

  // Those that are read somewhere while it runs.
  static ShellWord unknown_words() { return {.text = "…", .computed = true, .splits = true}; }

  // Words that hold the placeholder are not known.
  static void compute(ShellCommand& command, const std::string& placeholder) {
    for (auto& word : command.words)
      if (word.text.find(placeholder) != std::string::npos) {
        word.computed = true;
        word.certain_from = word.text.size();
      }
  }

  // -c TEXT is taken apart; what a shell would read from a file or its input is not known.
  void shell(const ShellCommand& command, const std::string& name, int depth) {
    const auto& words = command.words;
    if (name == "fish") doubt(line_.doubts.hidden, "fish");
    for (std::size_t at = 1; at < words.size(); ++at) {
      const auto& text = words[at].text;
      if (!words[at].literal()) return doubt(line_.doubts.computed, "what " + name + " would run");
      if (text == "--version" || text == "--help") return;
      if (text == "-" || text.starts_with("/dev/") || text.starts_with("/proc/")) break;
      if (text.size() < 2 || (text.front() != '-' && text.front() != '+') || text == "--") {
        if (text == "--" && at + 1 == words.size()) break;
        return doubt(line_.doubts.altered, "what is in the script that " + name + " would run");
      }
      if (text == "-s" || text == "--stdin") break;
      if (text == "--rcfile" || text == "--init-file" || text == "-o" || text == "-O" || text == "+o" || text == "+O") {
        ++at;
      } else if (text[1] != '-' && text.find('c') != std::string::npos) {
        auto script = at + 1;
        while (script < words.size() && words[script].text.size() > 1 && words[script].text.front() == '-') ++script;
        if (script >= words.size() || !words[script].literal())
          return doubt(line_.doubts.computed, "what " + name + " -c would run");
        return add_text(words[script].text, depth);
      }
    }
    doubt(line_.doubts.computed, "what " + name + " would read as commands");
  }

  void eval(const ShellCommand& command, int depth) {
    std::string text;
    for (std::size_t at = 1; at < command.words.size(); ++at) {
      if (!command.words[at].literal()) return doubt(line_.doubts.computed, "what eval would run");
      text += command.words[at].text + " ";
    }
    add_text(text, depth);
  }

  void trap(const ShellCommand& command, int depth) {
    for (std::size_t at = 1; at < command.words.size(); ++at) {
      if (command.words[at].text.starts_with('-')) continue;
      if (command.words[at].computed) return doubt(line_.doubts.computed, "what trap would run");
      return add_text(command.words[at].text, depth);
    }
  }

  void find(const ShellCommand& command, const std::string& name, int depth) {
    const auto& words = command.words;
    for (std::size_t at = 1; at < words.size(); ++at) {
      const bool glob_of_anything =
          words[at].pattern && std::string_view("*?[").find(words[at].text.front()) != std::string_view::npos;
      if (words[at].computed || glob_of_anything) doubt(line_.doubts.hidden, "what " + name + " would run");
      const auto& text = words[at].text;
      const bool executes = name == "find" ? text == "-exec" || text == "-execdir" || text == "-ok" || text == "-okdir"
                                           : text == "-x" || text == "-X" || text.starts_with("--exec");
      if (!executes) continue;
      ShellCommand inner;
      for (++at; at < words.size() && words[at].text != ";" && words[at].text != "+"; ++at) inner.words.push_back(words[at]);
      compute(inner, "{}");
      if (!inner.words.empty() && name != "find") inner.words.push_back(unknown_words());
      if (!inner.words.empty()) add(std::move(inner), depth);
    }
  }

  void interpreter(const ShellCommand& command, const std::string& name) {
    const auto known = [&name](std::string_view interpreter) {
      return name.starts_with(interpreter) && name.find_first_not_of("0123456789.", interpreter.size()) == std::string::npos;
    };
    if (!std::ranges::any_of(kInterpreters, known)) return;
    const std::string_view signs = name == "git" ? "!" : "(\"'` ";  // what code has and names of files rarely have
    for (std::size_t at = 1; at < command.words.size(); ++at)
      if (const auto& text = command.words[at].text; text.find_first_of(signs) != std::string::npos) line_.code.push_back(text);
  }

  // Some builtins set variables, or evaluate what looks like a name.
  void altering(const ShellCommand& command, const std::string& name) {
    const auto& words = command.words;
    if (among(kAltering, name)) doubt(line_.doubts.altered, name);
    const auto is_plain = [](const ShellWord& word) { return word.literal() && word.text.find('[') == std::string::npos; };
    if (name == "printf" && words.size() > 1 && (!words[1].literal() || words[1].text.starts_with("-v")))
      doubt(line_.doubts.altered, "printf -v");
    if (name == "read") {
      const auto small = [&](const ShellWord& w) {
        return is_plain(w) && std::ranges::none_of(w.text, [](char c) { return c >= 'A' && c <= 'Z'; });
      };
      if (!std::ranges::all_of(words, small)) doubt(line_.doubts.altered, "read");
    }
    if (name == "test" || name == "[") {
      const auto operands = words.size() - 1 - (name == "[" ? 1 : 0);
      const bool compares = operands == 3 && words[2].literal();
      const bool variable = std::ranges::any_of(words, [](const ShellWord& w) { return w.text == "-v" || w.text == "-R"; });
      if (variable || (!compares && words.size() > 1 && !words[1].literal())) doubt(line_.doubts.altered, name);
    }
  }

  CommandLine& line_;
};

}  // namespace

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

CommandLine understand_command_line(std::string_view text) {
  auto line = parse_command_line(text);
  const auto written = line.commands;
  Unwrapper unwrapper(line);
  for (const auto& command : written) unwrapper.look_into(command, 0);
  return line;
}

}  // namespace tool
