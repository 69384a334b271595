#pragma once
// Named places at which a crash test kills the process with SIGKILL: OUTLAST_FAILPOINT=name, or name:N for the Nth time that
// it is reached, or name:N:MS. Then the thread that is there stops for MS milliseconds before, while the others go on: what
// they do too early gets out. Compiled in and off: a place costs one load where none is armed. docs/crash-proof.md tells more.
#include <array>
#include <string_view>

namespace base {

// Every place, in the order in which a run meets them.
inline constexpr std::array kFailpoints = {
    std::string_view("launch.before_commit"),     // asked for, nothing durable
    std::string_view("launch.after_commit"),      // durable, not yet acknowledged
    std::string_view("claim.after_commit"),       // the lease is taken, nothing done under it
    std::string_view("append.before_commit"),     // events in hand, nothing durable
    std::string_view("append.after_commit"),      // durable, nobody was told
    std::string_view("append.after_publish"),     // readers were woken, the executor was not
    std::string_view("model.before_call"),        // the start is durable, the call is not made
    std::string_view("model.after_call"),         // the answer is there, its end is not durable
    std::string_view("tool.before_call"),         // the start is durable, the call is not made
    std::string_view("tool.after_call"),          // the call has ended, its result is not durable
    std::string_view("child.before_spawn"),       // the directory is there, the shim is not
    std::string_view("child.after_spawn"),        // the shim lives, its executor does not know yet
    std::string_view("shim.before_claim"),        // in the shim: nothing is claimed
    std::string_view("shim.after_claim"),         // in the shim: claimed, the command does not run
    std::string_view("shim.after_start"),         // in the shim: the command runs
    std::string_view("cancel.before_commit"),     // asked for, nothing durable
    std::string_view("cancel.after_commit"),      // bound, the executor does not know yet
    std::string_view("cancel.before_end"),        // children are gone, the end is not durable
    std::string_view("end.before_commit"),        // the last event is in hand
    std::string_view("end.after_commit"),         // the run is over, its files are not
    std::string_view("handover.before_release"),  // draining, the lease is still held
    std::string_view("seal.after_commit"),        // blocks were merged
    std::string_view("projection.after_write"),   // files are ahead of what their offset says
    std::string_view("flow.after_launch"),        // an operation's run is there, the flow does not say so
    std::string_view("flow.before_end"),          // all operations have ended, the flow has not
    std::string_view("flow_log.after_write"),     // flow.log has lines that run.json does not know of
    std::string_view("task.after_launch"),        // a turn of a named task is there, the task does not say so
    std::string_view("harness.before_start"),     // a process is to be started, and is not
    std::string_view("harness.after_session"),    // its session is in the log, the task is not bound to it
    std::string_view("harness.after_process"),    // it has ended, the end is not durable
    std::string_view("harness.before_end"),       // nothing of it is left, the run has not ended
    std::string_view("background.after_start"),   // a background agent is there, nobody has read its id
};

namespace detail {
extern int armed_failpoint;  // index into kFailpoints, or -1
void reach_failpoint(int index);
}  // namespace detail

// A name that is in the list, checked when compiled.
struct FailpointName {
  consteval FailpointName(const char* name) : index(find(name)) {}  // NOLINT(google-explicit-constructor): reads as the name
  int index;

 private:
  static consteval int find(std::string_view name) {
    for (std::size_t i = 0; i < kFailpoints.size(); ++i)
      if (kFailpoints[i] == name) return static_cast<int>(i);
    throw "no such failpoint";
  }
};

inline void failpoint(FailpointName name) {
  if (detail::armed_failpoint == name.index) detail::reach_failpoint(name.index);
}

// Reads OUTLAST_FAILPOINT's value; false where it names no place. Called once, before other threads are there.
bool arm_failpoint(std::string_view text);
// For a process that makes a second one of itself: the failpoint was for the first.
void disarm_failpoint();

}  // namespace base
