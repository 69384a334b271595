#pragma once
// A tool as agents see it: a name, a JSON Schema, and one call. Arguments are validated before the call.
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aio/offload.h"
#include "aio/task.h"
#include "base/error.h"
#include "run/spec.h"
#include "tool/output_scan.h"

namespace tool {

// What recovery may do with a call that was under way when its executor died.
enum class SideEffect {
  idempotent,    // may simply be called again
  at_most_once,  // never called again: the model is told "interrupted, outcome unknown"
  reattachable,  // goes on without its caller: calling it again under the same call id finds it, or what it came to
};

struct Definition {
  std::string name;    // as the model calls it: 1-64 of A-Za-z0-9_-
  std::string module;  // "filesystem": what app files grant
  std::string action;  // "read"
  std::string description;
  std::string schema;  // JSON Schema text of the arguments
  SideEffect side_effect = SideEffect::at_most_once;
  std::vector<std::string> aliases = {};  // further names, any case
  bool reads_itself = false;              // takes any object; the schema is for the model
  bool from_outside = false;              // its words are not ours: the action alone is no name of it
};

class Memory;
class Tasks;
class TeamMail;
class Toolbox;

struct Context {
  std::string run_id;  // "": no run makes the call, but a client of the session
  std::string call_id;
  // Absolute; file tools are confined to the work directory and, where there are any, to the roots beside it.
  std::string work_directory = {};
  std::vector<std::string> roots = {};
  std::int64_t epoch = 0;  // of the lease under which it is called
  // Asked when the call is cut short: the run goes on elsewhere, what can outlive the call is to be left alone. None: it ends.
  std::function<bool()> goes_on = {};
  // Whose call it is, for tools that make other calls. Null: such tools are refused.
  std::string session_id = {};
  std::vector<run::GrantedTool> granted = {};
  run::ToolSettings settings = {};
  bool is_task = false;            // a run of its own: its process can be written to
  std::int64_t foreground_ms = 0;  // how long a command may take before it goes on as a task
  std::int64_t deadline_ms = 0;    // wall: when the calling run's time is over; 0: it has no limit
  Tasks* tasks = nullptr;
  Memory* memory = nullptr;
  TeamMail* team_mail = nullptr;
  const Toolbox* toolbox = nullptr;  // where the caller's tools are found; null: in the process' own
  const run::Spec* spec = nullptr;   // of the calling run; null: no run makes the call
};

// The outcome that the model is told. An error is an ordinary outcome of a tool.
struct Outcome {
  std::string text;  // valid UTF-8, at most kToolResultBytesMax
  bool is_error = false;
  std::vector<std::string> told_tasks = {};  // tasks of whose end the model learns by this
};

class Tool {
 public:
  virtual ~Tool() = default;
  virtual const Definition& definition() const = 0;
  // Of one call; the definition's, unless the arguments make a difference.
  virtual SideEffect side_effect(const boost::json::object& arguments) const;
  // Io thread. `arguments` has passed the schema. Throws only for a broken world.
  virtual aio::Task<Outcome> call(boost::json::object arguments, Context context) = 0;
  // Before the last event of a run that was granted this tool: nothing of its calls may go on. Io thread.
  virtual aio::Task<> end_run(std::string run_id, std::int64_t epoch);
  // What a call under way has brought so far; without lines, only where it stands. Errc::unsupported, unless the tool has processes.
  virtual aio::Task<base::Result<boost::json::object>> output(Context call, std::size_t tail_lines);
  // Looks for a pattern in what it has written since `from`; errors as output().
  virtual aio::Task<base::Result<Sighting>> scan(Context call, std::string pattern, ScanFrom from);
  // Something for the process of a call under way: {"op":"input","data":...}, end_input, signal (child-directory.md).
  virtual aio::Task<base::Result<>> send(Context call, boost::json::object request);
};

// The tools of one process, or of one run, by name. Constant after construction.
class Toolbox {
 public:
  explicit Toolbox(std::vector<std::unique_ptr<Tool>> tools);
  // These tools, then those of `base`, which outlives it. A name of either beats an alias of either.
  Toolbox(std::vector<std::unique_ptr<Tool>> tools, const Toolbox& base);
  ~Toolbox();
  // By the model's name, any case, and by the aliases of app files: "filesystem.read", "filesystem__read", "read".
  Tool* find(std::string_view name) const;
  std::vector<const Definition*> definitions() const;
  // Parses and validates the arguments against the schema (messages name the property), then calls. Unknown tools,
  // bad JSON and bad arguments are error outcomes.
  aio::Task<Outcome> call(std::string name, std::string arguments, Context context) const;

 private:
  struct Entry;
  const Entry* by_name(std::string_view lower_name) const;
  const Entry* by_alias(std::string_view lower_name) const;
  const Entry* entry_of(std::string_view name) const;

  const Toolbox* base_ = nullptr;
  std::vector<Entry> entries_;
};

// Read, Write, Edit, Glob, Grep: confined to the run's work directory and roots (symlinks, "..", absolute paths, device files, huge
// and binary files are refused with the reason). Blocking work runs on `offload`, which must outlive the tools.
std::vector<std::unique_ptr<Tool>> file_tools(aio::Offload& offload);

}  // namespace tool
