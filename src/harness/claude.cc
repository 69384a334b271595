#include "harness/claude.h"

#include "harness/harnesses.h"
#include "harness/json_line.h"

namespace harness {

namespace {

Reply initialize() {
  const json::object request{
      {"type", "control_request"}, {"request_id", "initialize"}, {"request", json::object{{"subtype", "initialize"}, {"hooks", json::object{}}}}};
  return {.key = "initialize", .line = line_of(request)};
}

// Who decides about what the agent may do: nobody, a person, or, with nobody there, its own rules (a command that they do not
// allow is refused, edits of files are not).
void add_permissions(std::vector<std::string>& argv, const Start& start) {
  if (start.skip_permissions) {
    argv.push_back("--dangerously-skip-permissions");
  } else if (start.attended) {
    argv.insert(argv.end(), {"--permission-prompt-tool", "stdio", "--permission-mode", "manual"});
  } else {
    argv.insert(argv.end(), {"--permission-mode", "acceptEdits"});
  }
}

void add_session(std::vector<std::string>& argv, const Start& start) {
  if (start.session_id.empty()) return;
  argv.insert(argv.end(), {start.resumes ? "--resume" : "--session-id", start.session_id});
  if (start.resumes && start.forks) argv.push_back("--fork-session");
}

class Claude final : public Harness {
 public:
  std::string_view name() const override { return "claude"; }
  std::string_view program() const override { return "claude"; }

  Capabilities capabilities() const override {
    return {.pins_id = true,
            .resumes = true,
            .forks = true,
            .sends = true,
            .approves = true,
            .interrupts = true,
            .background = true,
            .costs = true,
            .structured = true};
  }

  Command command(const Start& start) const override {
    Command out{.argv = {"claude", "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose", "--replay-user-messages"},
                .takes_input = true,
                .first = {initialize()},
                .stays = true};
    add_permissions(out.argv, start);
    add_session(out.argv, start);
    if (!start.model.empty()) out.argv.insert(out.argv.end(), {"--model", start.model});
    if (!start.effort.empty()) out.argv.insert(out.argv.end(), {"--effort", start.effort});
    if (!start.prompt.empty())
      out.first.push_back({.key = "message:" + start.message_id, .line = claude_message(start.message_id, start.prompt)});
    return out;
  }

  std::unique_ptr<Decoder> decoder(const Start& start) const override { return claude_decoder(start); }
  std::string_view session_variable() const override { return "CLAUDE_CODE_SESSION_ID"; }

  // What a session tells the processes inside it. Where a user keeps settings (CLAUDE_CONFIG_DIR, CLAUDE_CODE_USE_BEDROCK,
  // CLAUDE_CODE_OAUTH_TOKEN ...) begins likewise and stays, so the names are whole ones as far as they can be.
  std::vector<std::string_view> stripped() const override {
    return {"CLAUDECODE",
            "CLAUDE_CODE_SESSION_",
            "CLAUDE_CODE_ENTRYPOINT",
            "CLAUDE_CODE_SSE_PORT",
            "CLAUDE_CODE_PARENT_SESSION",
            "CLAUDE_CODE_CHILD_SESSION",
            "CLAUDE_CODE_REMOTE_SESSION_ID",
            "CLAUDE_CODE_AGENT_ID",
            "CLAUDE_CODE_AGENT_NAME",
            "CLAUDE_CODE_TEAM_NAME",
            "CLAUDE_CODE_TASK_LIST_ID",
            "CLAUDE_AGENT_SDK_VERSION",
            "CLAUDE_PROJECT_DIR",
            "CLAUDE_ENV_FILE"};
  }

  const BackgroundAgents* background() const override { return &claude_background(); }
};

}  // namespace

std::string claude_message(std::string_view message_id, std::string_view text) {
  return line_of({{"type", "user"}, {"uuid", text_in(message_id)}, {"message", json::object{{"role", "user"}, {"content", text_in(text)}}}});
}

const Harness& claude() {
  static const Claude one;
  return one;
}

}  // namespace harness
