#include "harness/codex.h"

#include "harness/harnesses.h"

namespace harness {

namespace {

// Whoever asks nobody is driven the simple way; only the other can ask.
bool is_asking(const Start& start) { return start.attended && !start.skip_permissions; }

class Codex final : public Harness {
 public:
  std::string_view name() const override { return "codex"; }
  std::string_view program() const override { return "codex"; }

  Capabilities capabilities() const override {
    return {.resumes = true, .forks = true, .sends = true, .approves = true, .interrupts = true, .structured = true};
  }

  Command command(const Start& start) const override { return is_asking(start) ? codex_server_command(start) : codex_exec_command(start); }
  std::unique_ptr<Decoder> decoder(const Start& start) const override {
    return is_asking(start) ? codex_server_decoder(start) : codex_exec_decoder(start);
  }

  std::string_view session_variable() const override { return "CODEX_THREAD_ID"; }
  // CODEX_HOME is where the user's settings are, and stays.
  std::vector<std::string_view> stripped() const override {
    return {"CODEX_THREAD_ID", "CODEX_SESSION_ID", "CODEX_INTERNAL_ORIGINATOR_OVERRIDE", "CODEX_SANDBOX"};
  }
};

}  // namespace

const Harness& codex() {
  static const Codex one;
  return one;
}

}  // namespace harness
