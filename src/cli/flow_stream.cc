#include "cli/flow_stream.h"

#include <cstdio>

#include "cli/output.h"
#include "engine/live_logs.h"

namespace cli {

namespace {

constexpr std::size_t kAsideColumns = 100;
constexpr std::size_t kLineBytesMax = 16 << 10;  // a line without an end is shown in pieces
constexpr std::int64_t kSettleMs = 2'000, kSettleLookMs = 10;
constexpr std::chrono::milliseconds kLook{1'000};

}  // namespace

struct LabelledLines::Show {
  LabelledLines& l;

  void aside(const std::string& line) const {
    l.flush();
    l.asides_ += l.label_ + line + "\n";
  }

  void operator()(const run::TextDelta& e) const {
    l.open_ += e.text;
    const auto end = l.open_.size() > kLineBytesMax ? l.open_.size() : l.open_.rfind('\n') + 1;  // npos + 1: no line yet
    for (std::size_t at = 0; at < end;) {
      const auto next = std::min(l.open_.find('\n', at), end);
      l.text_ += l.label_ + l.open_.substr(at, next - at) + "\n";
      at = next + 1;
    }
    l.open_.erase(0, end);
  }
  void operator()(const run::Superseded& e) const { aside("[cut: " + one_line(e.reason, kAsideColumns) + "; the answer begins again]"); }
  void operator()(const run::ToolStarted& e) const { aside("· " + e.call.name + " " + one_line(e.call.arguments, kAsideColumns)); }
  void operator()(const run::ToolCompleted& e) const {
    aside(std::string(e.is_error ? "✗ " : "✓ ") + e.call.name + " (" + duration(e.duration_ms) + ")" + (e.is_error ? " " + one_line(e.result, kAsideColumns) : ""));
  }
  void operator()(const run::RunPaused& e) const {
    for (const auto& call : e.calls) aside("‖ waits for a decision: " + call.name + " " + one_line(call.arguments, kAsideColumns));
  }
  void operator()(const run::ModelCompleted&) const { l.flush(); }
  void operator()(const run::RunCompleted&) const { end(); }
  void operator()(const run::RunCancelled&) const { l.flush(); }  // its completion follows
  void operator()(const run::RunError& e) const {
    aside("✗ " + one_line(e.message, kAsideColumns));
    end();
  }
  template <class Other>
  void operator()(const Other&) const {}

  void end() const {
    l.flush();
    l.ended_ = true;
  }
};

void LabelledLines::add(const run::Event& event) { std::visit(Show{*this}, event.payload); }

void LabelledLines::flush() {
  if (!open_.empty()) text_ += label_ + std::exchange(open_, {}) + "\n";
}

void FlowStream::begin(BegunRun begun) {
  ++showing_;  // before: it may come to its end at once
  if (!tasks_.spawn("stream of " + begun.run_id, show(begun))) --showing_;
}

aio::Task<> FlowStream::show(BegunRun begun) {
  struct Done {
    std::size_t& showing;
    ~Done() { --showing; }
  } done{showing_};
  const auto run = co_await process_.store->find_run(begun.run_id);
  if (!run || run->first_kept > 0) co_return;
  LabelledLines lines(begun.label);
  engine::LiveLogs::Reader reader(*process_.logs, run->number);
  for (std::uint64_t next = 0; !lines.ended() && !reader.lost();) {
    const auto block = co_await reader.read(next);
    if (!block) {
      co_await reader.wait(next, kLook);
      continue;
    }
    std::string_view rest = *block->slice.lines;
    for (auto index = block->slice.first; !rest.empty(); ++index) {
      const auto end = rest.find('\n');
      const auto event = run::decode(rest.substr(0, end));
      rest.remove_prefix(end + 1);
      if (index < next) continue;
      next = index + 1;
      if (event) lines.add(*event);
    }
    if (const auto text = lines.take_text(); !text.empty()) put(out_is_terminal() ? harmless(text) : text);
    if (const auto asides = lines.take_asides(); !asides.empty()) std::fputs(harmless(asides).c_str(), stderr);
  }
}

aio::Task<> FlowStream::settle() {
  const auto until = process_.time.steady_ms() + kSettleMs;
  while (showing_ > 0 && process_.time.steady_ms() < until) co_await process_.time.sleep(std::chrono::milliseconds(kSettleLookMs));
}

}  // namespace cli
