#pragma once
// A coding-agent program (Claude Code, Codex, ...) as everything else sees it: a command line, what its output means, and what it
// can do besides. One file per program; whoever uses one asks for a capability, never for a name. Pure: no I/O, no clock.
// Formats: docs/formats/harness.md; facts about the programs: docs/harnesses.md.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "run/harness_event.h"
#include "run/message.h"

namespace harness {

// --- what a line of its output says ------------------------------------------------------------------------------------
struct SessionNamed {
  std::string session_id, model = {}, version = {};
};
struct TurnBegan {};  // it works on a message
struct Said {
  std::string text;
};
struct Thought {
  std::string text;
};
struct CallBegan {
  run::ToolCall call;
};
struct CallEnded {
  run::ToolCall call;  // as it began, where that was seen
  std::string result;
  bool is_error = false;
};
// It waits for a person's decision about a call; `call.id` names it in answers.
struct Asks {
  run::ToolCall call;
  std::string reason = {};
};
// A message is part of its conversation now.
struct Heard {
  std::string message_id;
};
// It did not take a message: another line that gives it that may be written.
struct Refused {
  std::string message_id;
};
// It is through with a message; one that it knew before is not worked on again.
struct HandledMessage {
  std::string message_id;
};
// It tries again by itself; of a usage limit, when known, until then (seconds from now).
struct Retries {
  bool limited = false;
  std::int64_t in_ms = 0;
  std::string reason = {};
};
struct TurnEnded {
  run::HarnessTurn turn;            // until_ms: only where the output names the moment itself
  std::int64_t limited_for_ms = 0;  // of a usage limit: how long from now, where it names that
};
// To be written to its input, once: the same key is the same line.
struct Reply {
  std::string key, line;  // without newline
};
// A line that nobody here knows. It is kept with all others in the run's output file.
struct Unknown {};
using Told = std::variant<SessionNamed, TurnBegan, Said, Thought, CallBegan, CallEnded, Asks, Heard, Refused, HandledMessage, Retries, TurnEnded, Reply, Unknown>;

// Reads one process' standard output, line by line. A function of the lines so far: after a crash the same lines say the same.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // `line`: without newline, any bytes. What it says goes to the end of `out`.
  virtual void line(std::string_view line, std::vector<Told>& out) = 0;
  // The process has ended, and nothing follows: what is concluded from that (a program without a last word).
  virtual void end(std::optional<int> exit_code, std::string_view stderr_tail, std::vector<Told>& out);
  // What the turn under way has used so far, as far as its lines say; nobody says it once the process is killed.
  virtual run::Usage open_usage() const { return {}; }
  // The input line that answers an Asks of this process; "" where there is none (any more).
  virtual std::string answer(std::string_view call_id, bool allow, std::string_view note) const;
  // The input line that gives it a message while it works; "" where it cannot take one (yet).
  virtual std::string message(std::string_view message_id, std::string_view text) const;
  // The input line that stops its turn, not the process; "" where there is none.
  virtual std::string interrupt(std::string_view key) const;
};

// --- how it is started -------------------------------------------------------------------------------------------------
struct Start {
  std::string prompt;
  std::string message_id;   // a UUID
  std::string session_id;   // to be created under that id (pins_id), or to be gone on with (resumes)
  bool resumes = false;
  bool forks = false;       // a copy of the session, under an id of its own
  bool keeps_options = false;  // of a background session that the harness knows: it goes on with the options that it was started with
  std::string model = {}, effort = {};
  std::string title = {};
  std::string directory = {};     // its working directory
  bool skip_permissions = false;  // it asks nobody
  bool attended = true;           // approvals are asked for where it can
};

struct Command {
  std::vector<std::string> argv;   // argv[0]: the program's name, to be looked up in PATH
  bool takes_input = false;        // standard input is a channel, else /dev/null
  std::vector<Reply> first = {};   // to be written at once
  // While its input is open it waits for more after its last word; else it ends by itself.
  bool stays = false;
  std::vector<std::string> environment = {};  // "NAME=value", besides
};

struct Capabilities {
  bool pins_id = false;     // a session's id can be chosen
  bool resumes = false, forks = false;
  bool sends = false;       // takes messages while it works
  bool approves = false, interrupts = false;
  bool background = false;  // has agents of its own that outlive whoever started them
  bool costs = false;       // tells what a turn cost
  bool structured = false;  // can be held to a schema
};

// A session in the harness's own list of background agents.
struct Registered {
  std::string id;  // the short one
  std::string session_id, name, directory, status, state;
  std::int64_t pid = 0, started_ms = 0;
};

// For harnesses with Capabilities::background.
class BackgroundAgents {
 public:
  virtual ~BackgroundAgents() = default;
  virtual std::vector<std::string> start(const Start& start) const = 0;  // argv; start.resumes: of the session
  // The short id in what `start` printed; "" where it says none.
  virtual std::string started_id(std::string_view standard_output) const = 0;
  virtual std::vector<std::string> list() const = 0;  // argv
  // Background agents only. Nothing: that is no answer to list.
  virtual std::optional<std::vector<Registered>> listed(std::string_view standard_output) const = 0;
  virtual std::vector<std::string> stop(std::string_view id) const = 0;  // argv
};

class Harness {
 public:
  virtual ~Harness() = default;
  virtual std::string_view name() const = 0;     // as it is named on command lines and in specs
  virtual std::string_view program() const = 0;  // looked up in PATH
  virtual Capabilities capabilities() const = 0;
  virtual Command command(const Start& start) const = 0;
  virtual std::unique_ptr<Decoder> decoder(const Start& start) const = 0;
  // The variable in which a session tells those inside it who it is.
  virtual std::string_view session_variable() const = 0;
  // Beginnings of the names of variables that a caller's session must not pass on.
  virtual std::vector<std::string_view> stripped() const = 0;
  virtual const BackgroundAgents* background() const { return nullptr; }
};

// The known ones, claude first. They live as long as the program.
const std::vector<const Harness*>& all();
const Harness* find(std::string_view name);  // null: unknown
std::string known_names();                   // "claude, codex, gemini, opencode"

}  // namespace harness
