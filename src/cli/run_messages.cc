#include "cli/run_messages.h"

#include "base/clock.h"
#include "base/json.h"

namespace cli {

namespace {

using Kind = TranscriptPart::Kind;

}  // namespace

struct RunMessages::Reader {
  RunMessages& messages;
  std::vector<TranscriptPart>& out;

  void part(TranscriptPart one) {
    messages.finish(out);
    one.at = messages.at_;
    out.push_back(std::move(one));
  }
  void operator()(const run::TextDelta& delta) { messages.grow(Kind::assistant, delta.text, out); }
  void operator()(const run::ThinkingDelta& delta) { messages.grow(Kind::thinking, delta.text, out); }
  void operator()(const run::HarnessStarted& started) {
    if (!started.prompt.empty() && messages.heard_.insert(started.message_id).second)
      part({.kind = Kind::user, .text = started.prompt});
  }
  void operator()(const run::Notice& notice) { part({.kind = Kind::user, .text = notice.text}); }
  void operator()(const run::ToolStarted& started) {
    part({.kind = Kind::call, .text = arguments_text(started.call.arguments), .name = started.call.name});
  }
  void operator()(const run::ToolCompleted& completed) {
    part({.kind = Kind::result, .text = completed.result, .is_error = completed.is_error});
  }
  template <class Other>
  void operator()(const Other&) {}
};

void RunMessages::grow(Kind kind, const std::string& text, std::vector<TranscriptPart>& out) {
  if (open_.kind != kind) finish(out);
  if (open_.text.empty()) open_ = {.kind = kind, .text = {}, .at = at_};
  open_.text += text;
}

void RunMessages::add(const run::Event& event, std::vector<TranscriptPart>& out) {
  at_ = base::iso_utc_ms(event.at_ms);
  std::visit(Reader{*this, out}, event.payload);
}

void RunMessages::finish(std::vector<TranscriptPart>& out) {
  if (!open_.text.empty()) out.push_back(std::move(open_));
  open_ = {};
}

}  // namespace cli
