#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <cstdio>

#include "aio/notifier.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "tool/bash_task.h"
#include "tool/bounds.h"
#include "tool/command_output.h"
#include "tool/command_place.h"
#include "tool/file_content.h"
#include "tool/file_tool.h"
#include "tool/shell_tools.h"

namespace tool {

namespace json = boost::json;
using process::Cause;

namespace {

constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {
    "command": {"type": "string", "minLength": 1, "description": "The command line, run by bash."},
    "run_in_background": {"type": "boolean", "description": "Start it as a background task and return at once with its task_id."},
    "task_id": {"type": "string", "description": "A background task: alone to check it, with wait, kill or stdin_text."},
    "wait": {"type": "boolean", "description": "With task_id: wait for its end, at most timeout seconds."},
    "kill": {"type": "boolean", "description": "With task_id: end it and everything that it started."},
    "stdin_text": {"type": "string", "description": "With task_id: a line for its standard input."},
    "description": {"type": "string", "description": "What it does, in a few words."},
    "timeout": {"type": "number", "minimum": 1, "maximum": 1800, "description": "Seconds until it is ended (default 300)."},
    "cwd": {"type": "string", "description": "Where it runs, relative to the work directory (default: there)."}
  },
  "additionalProperties": false
})";

constexpr std::array<std::string_view, 11> kPassedOn = {"PATH",     "HOME", "USER",   "LOGNAME",      "SHELL",   "LANG",
                                                        "LANGUAGE", "TZ",   "TMPDIR", "OUTLAST_HOME", "HOSTNAME"};

std::string shell_of(const run::ShellSettings& settings) {
  if (!settings.program.empty()) return settings.program;
  return access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh";
}

// Both streams as the model sees them.
struct Output {
  std::string out, err;
};

std::string explanation(const process::Ended& ended, std::int64_t wall_ms) {
  switch (ended.cause) {
    case Cause::exited: return "";
    case Cause::signalled: return "The command was ended by signal " + std::to_string(ended.signal) + ".";
    case Cause::cancelled: return "The command was cancelled.";
    case Cause::timeout:
      return "The command was ended after its " + std::to_string(wall_ms / 1'000) + " s; it may have had effects.";
    case Cause::idle_timeout: return "The command was ended because it was silent for too long.";
    case Cause::output_limit:
      return "The command was ended because it wrote more than " + size_text(base::limits::kChildOutputBytesMax) + ".";
    case Cause::out_of_memory: return "The command was killed when the machine ran out of memory.";
    case Cause::spawn_failed: return "The command did not run: " + ended.message;
    case Cause::terminated: return "The command was ended because the machine was shutting down; it may have had effects.";
    case Cause::lost:
      return "Interrupted: the process that ran this command died. Its outcome is unknown; it may have had effects.";
  }
  return "";
}

std::string seconds(std::int64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", static_cast<double>(ms) / 1000);
  return text;
}

class BashTool final : public Tool {
 public:
  BashTool(process::Children& children, aio::Offload& files, aio::Time& time, ShellOptions options)
      : children_(children), files_(files), time_(time), options_(std::move(options)) {
    definition_.name = "Bash";
    definition_.module = "shell";
    definition_.action = "bash";
    definition_.description =
        "Runs a command line with bash in the work directory and returns its standard output, standard error and exit code. "
        "Processes left in the background end with the run; run_in_background makes a task of it that goes on. Long output is "
        "cut in "
        "the middle and says so.";
    definition_.schema = kSchema;
    definition_.side_effect = SideEffect::reattachable;
    definition_.aliases = {"bash.run", "bash__run"};
  }
  const Definition& definition() const override { return definition_; }

  SideEffect side_effect(const json::object& arguments) const override {
    return arguments.contains("stdin_text") ? SideEffect::at_most_once : SideEffect::reattachable;
  }

  aio::Task<Outcome> call(json::object arguments, Context context) override {
    const auto command = text_argument(arguments, "command");
    if (!command.empty()) {
      const auto place = place_of(arguments, context);
      auto look = [&] { return refuse(context.settings.shell, command, place); };
      const auto refused = co_await files_.run(look);
      if (refused) co_return Outcome{"Bash: " + *refused, true};
    }
    if (is_about_task(arguments)) co_return co_await bash_task(time_, std::move(arguments), std::move(context));
    if (command.empty()) co_return Outcome{"Bash: command: is required", true};
    if (may_be_promoted(context)) co_return co_await bash_foreground(time_, std::move(arguments), std::move(context));
    const process::ChildKey key{context.run_id, context.call_id, context.epoch};
    auto spec = spec_of(arguments, context);
    const auto wall_ms = spec.wall_ms;
    const auto directory = spec.directory;
    auto running = children_.run(key, std::move(spec));
    std::exception_ptr cut;
    base::Result<process::Ended> ended;
    try {
      ended = co_await std::move(running);
    } catch (...) {
      cut = std::current_exception();
    }
    if (cut) {
      if (!context.goes_on || !context.goes_on()) co_await end_command(key);
      std::rethrow_exception(cut);
    }
    if (!ended) co_return Outcome{"Bash: " + ended.error().message, true};
    const auto child = children_.directory(key);
    auto read = [&] { return read_output(child, context.settings.shell); };
    const auto output = co_await files_.run(read);
    co_return outcome_of(*ended, output, command, directory, wall_ms);
  }

  aio::Task<base::Result<json::object>> output(Context call, std::size_t tail_lines) override {
    const auto child = children_.directory({call.run_id, call.call_id, call.epoch});
    auto read = [&] { return tail_of(child, tail_lines, call.settings.shell); };
    co_return co_await files_.run(read);
  }

  aio::Task<base::Result<Sighting>> scan(Context call, std::string pattern, ScanFrom from) override {
    const auto child = children_.directory({call.run_id, call.call_id, call.epoch});
    auto look = [&] {
      const Redactor redactor(call.settings.shell.sensitive_patterns);
      return scan_output(child.file(process::kStdoutFile), child.file(process::kStderrFile), pattern, from, redactor);
    };
    co_return co_await files_.run(look);
  }

  aio::Task<base::Result<>> send(Context call, json::object request) override {
    co_return co_await children_.send({call.run_id, call.call_id, call.epoch}, std::move(request));
  }

  aio::Task<> end_run(std::string run_id, std::int64_t epoch) override {
    const auto ended = co_await children_.kill_all(run_id, epoch);
    if (!ended) base::log::error("a run's processes could not be ended", {{"run", run_id}, {"reason", ended.error().message}});
  }

 private:
  // The cancel that cut the call must not cut this.
  aio::Task<> end_command(process::ChildKey key) {
    co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
    const auto killed = co_await children_.kill(key);
    if (!killed) base::log::error("a command could not be ended", {{"run", key.run_id}, {"reason", killed.error().message}});
  }

  static CommandPlace place_of(const json::object& arguments, const Context& context) {
    return command_place(context.work_directory, text_argument(arguments, "cwd"));
  }

  process::ChildSpec spec_of(const json::object& arguments, const Context& context) const {
    process::ChildSpec spec;
    spec.argv = {shell_of(context.settings.shell), "-c", text_argument(arguments, "command")};
    spec.directory = place_of(arguments, context).directory;
    spec.environment = options_.environment;
    spec.environment.push_back("OUTLAST_RUN_ID=" + context.run_id);
    spec.environment.push_back("TERM=dumb");
    const auto usual_ms = context.settings.shell.timeout_ms ? context.settings.shell.timeout_ms : bounds::kCommandMsDefault;
    const auto timeout = base::number_field(arguments, "timeout");
    spec.wall_ms = timeout ? static_cast<std::int64_t>(*timeout * 1'000) : usual_ms;
    spec.takes_input = context.is_task;
    spec.output_bytes_max = static_cast<std::int64_t>(base::limits::kChildOutputBytesMax);
    return spec;
  }

  // The last lines of both streams, with the counts of all lines; who owns the process. Without lines, only the latter.
  static json::object tail_of(const process::ChildDirectory& child, std::size_t lines, const run::ShellSettings& settings) {
    json::object out;
    if (lines) {
      const Redactor redactor(settings.sensitive_patterns);
      for (const auto name : {process::kStdoutFile, process::kStderrFile}) {
        auto tail = shown_tail(child.file(name), lines, bounds::kOutputTailBytes, redactor);
        out[name] = std::move(tail.text);
        out[std::string(name) + "_total_lines"] = tail.lines;
      }
    }
    if (const auto owner = child.owner()) out["pid"] = owner->pid;
    if (child.ended()) out["ended"] = true;
    return out;
  }

  static Output read_output(const process::ChildDirectory& child, const run::ShellSettings& settings) {
    const Redactor redactor(settings.sensitive_patterns);
    const auto lines = settings.lines_max ? settings.lines_max : bounds::kOutputLinesDefault;
    const OutputBounds bounds{bounds::kOutputHeadBytes, bounds::kOutputTailBytes, static_cast<std::size_t>(lines)};
    return {shown_output(child.file(process::kStdoutFile), bounds, redactor),
            shown_output(child.file(process::kStderrFile), bounds, redactor)};
  }

  static Outcome outcome_of(const process::Ended& ended, const Output& output, const std::string& command,
                            const std::string& directory, std::int64_t wall_ms) {
    const auto duration_ms = ended.started_ms ? std::max<std::int64_t>(0, ended.ended_ms - ended.started_ms) : 0;
    json::object out{{"stdout", output.out}, {"stderr", output.err}};
    out["exit_code"] = ended.exit_code ? json::value(*ended.exit_code) : json::value();
    out["duration"] = std::stod(seconds(duration_ms));
    out["duration_ms"] = duration_ms;
    out["cwd"] = directory;
    out["command"] = base::utf8_prefix(command, bounds::kCommandShownBytes);
    out["cause"] = name(ended.cause);
    if (ended.signal) out["signal"] = ended.signal;
    if (ended.cause == Cause::timeout) out["timed_out"] = true;
    if (ended.cause == Cause::cancelled) out["cancelled"] = true;
    if (auto said = explanation(ended, wall_ms); !said.empty()) out["error"] = std::move(said);
    return {base::to_text(out), ended.cause != Cause::exited || ended.exit_code != 0};
  }

  process::Children& children_;
  aio::Offload& files_;
  aio::Time& time_;
  const ShellOptions options_;
  Definition definition_;
};

}  // namespace

std::vector<std::unique_ptr<Tool>> shell_tools(process::Children& children, aio::Offload& files, aio::Time& time,
                                               ShellOptions options) {
  std::vector<std::unique_ptr<Tool>> tools;
  tools.push_back(std::make_unique<BashTool>(children, files, time, std::move(options)));
  return tools;
}

std::vector<std::string> shell_environment(const std::vector<std::string>& own) {
  std::vector<std::string> out;
  for (const auto& variable : own) {
    const auto name = std::string_view(variable).substr(0, variable.find('='));
    if (std::ranges::find(kPassedOn, name) != kPassedOn.end() || name.starts_with("LC_")) out.push_back(variable);
  }
  return out;
}

}  // namespace tool
