#include "harness/harnesses.h"
namespace harness {
namespace { struct Stub : Harness { std::string_view name() const override { return "claude"; } std::string_view program() const override { return "claude"; } Capabilities capabilities() const override { return {}; } Command command(const Start&) const override { return {}; } std::unique_ptr<Decoder> decoder(const Start&) const override { return nullptr; } std::string_view session_variable() const override { return ""; } std::vector<std::string_view> stripped() const override { return {}; } }; const Stub stub; }
const Harness& claude() { return stub; }
const Harness& codex() { return stub; }
const Harness& gemini() { return stub; }
const Harness& opencode() { return stub; }
}
