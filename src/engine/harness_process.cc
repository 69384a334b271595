#include "engine/harness_process.h"

#include <algorithm>

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/harness_environment.h"

namespace engine {

namespace limits = base::limits;

namespace {

constexpr std::size_t kStderrTailBytes = 2'000;

harness::Start start_of(const run::Spec& spec, const run::HarnessStarted& begun) {
  const auto& h = *spec.harness;
  return {.prompt = begun.prompt,
          .message_id = begun.message_id,
          .session_id = begun.session_id,
          .resumes = begun.resumes,
          .forks = false,
          .model = spec.model,
          .effort = spec.effort,
          .title = h.title,
          .directory = spec.work_directory,
          .skip_permissions = h.skip_permissions,
          .attended = !h.unattended};
}

}  // namespace

// Shared with the task that waits for the child, which may come to its end a moment later than the process object.
struct HarnessProcess::Waiting {
  explicit Waiting(boost::asio::io_context& io) : scope(io), changed(io) {}
  aio::Scope scope;
  aio::Notifier changed;
  std::optional<base::Result<process::Ended>> result;
  std::string broken;
};

namespace {

template <class Waiting>
aio::Task<> wait_for_child(process::Children& children, process::ChildKey key, process::ChildSpec spec, std::shared_ptr<Waiting> waiting) {
  try {
    auto child = children.run(std::move(key), std::move(spec));
    waiting->result = co_await waiting->scope.run(std::move(child));
  } catch (const base::Broken& error) {
    waiting->broken = error.what();
  }
  waiting->changed.notify_all();
}

}  // namespace

HarnessProcess::HarnessProcess(Deps& deps, const store::Run& run, const run::Spec& spec, const harness::Harness& harness, const run::HarnessStarted& begun)
    : deps_(deps),
      run_(run),
      spec_(spec),
      number_(begun.process),
      key_{.run_id = run.run_id, .call_id = "process " + std::to_string(begun.process), .epoch = run.epoch},
      directory_(deps.children->directory(key_)),
      command_(harness.command(start_of(spec, begun))),
      decoder_(harness.decoder(start_of(spec, begun))),
      written_ms_(deps.time.steady_ms()) {}

HarnessProcess::~HarnessProcess() {
  if (waiting_) waiting_->scope.cancel();
}

process::ChildSpec HarnessProcess::child_spec() const {
  process::ChildSpec child;
  child.argv = command_.argv;
  child.directory = spec_.work_directory;
  child.takes_input = command_.takes_input;
  child.output_bytes_max = static_cast<std::int64_t>(limits::kHarnessOutputBytesMax);
  child.environment = command_.environment;
  give_environment(child, deps_, run_, *spec_.harness);
  return child;
}

void HarnessProcess::begin(aio::TaskGroup& tasks) {
  waiting_ = std::make_shared<Waiting>(deps_.io);
  tasks.spawn("process of " + run_.run_id, wait_for_child(*deps_.children, key_, child_spec(), waiting_));
}

void HarnessProcess::add_line(std::string_view line, std::vector<HarnessLine>& lines) {
  HarnessLine one;
  if (!line.empty()) decoder_->line(line, one.told);
  one.end = read_ - partial_.size();
  lines.push_back(std::move(one));
}

aio::Task<std::vector<HarnessLine>> HarnessProcess::read() {
  if (!waiting_->broken.empty()) throw base::Broken(waiting_->broken);
  // Asked before the file is looked at: after the end nothing more is written.
  if (!ended_ && waiting_->result) {
    if (*waiting_->result)
      ended_ = **waiting_->result;
    else
      ended_ = process::Ended{.cause = process::Cause::cancelled, .exit_code = {}, .message = waiting_->result->error().message};
  }
  std::vector<HarnessLine> lines;
  if (said_end_) co_return lines;
  auto look = [path = directory_.file(process::kStdoutFile), from = read_] { return process::read_from(path, from, limits::kHarnessReadBytes); };
  const auto bytes = co_await deps_.blocking->run(look);
  if (!bytes.empty()) written_ms_ = deps_.time.steady_ms();
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto piece = rest.substr(0, end);
    if (partial_.size() + piece.size() > limits::kHarnessLineBytesMax) overlong_ = true;
    if (overlong_) partial_.clear();
    else partial_ += piece;
    if (end == std::string_view::npos) {
      read_ += rest.size();
      break;
    }
    read_ += end + 1;
    rest.remove_prefix(end + 1);
    const auto line = std::exchange(partial_, {});
    if (!std::exchange(overlong_, false)) add_line(line, lines);
  }
  if (bytes.empty() && ended_) {
    // The last line may have no end. What is concluded from the end has the end of the output as its place.
    if (!partial_.empty()) add_line(std::exchange(partial_, {}), lines);
    HarnessLine last{.told = {}, .end = read_ + 1};
    const auto exit_code = ended_->exit_code ? std::optional<int>(*ended_->exit_code) : std::nullopt;
    decoder_->end(exit_code, last_words(), last.told);
    if (!last.told.empty()) lines.push_back(std::move(last));
    said_end_ = true;
  }
  co_return lines;
}

std::string HarnessProcess::last_words() const {
  const auto tail = process::read_tail(directory_.file(process::kStderrFile), 12, kStderrTailBytes);
  auto words = std::string(base::trim(tail.text));
  if (words.empty() && ended_) words = ended_->message;
  return words;
}

std::int64_t HarnessProcess::quiet_ms() const { return deps_.time.steady_ms() - written_ms_; }

aio::Task<bool> HarnessProcess::send(std::string key, std::string line) {
  boost::json::object request{{"op", "input"}, {"key", std::move(key)}, {"data", line + "\n"}};
  const auto sent = co_await deps_.children->send(key_, std::move(request));
  co_return sent.has_value();
}

aio::Task<> HarnessProcess::end_input() {
  input_ended_ = true;
  co_await deps_.children->send(key_, {{"op", "end_input"}});
}

aio::Task<> HarnessProcess::kill() {
  const auto killed = co_await deps_.children->kill(key_);
  if (!killed && killed.error().code == base::Errc::timed_out)
    base::log::error("a coding agent's processes could not be ended", {{"run", run_.run_id}, {"reason", killed.error().message}});
}

aio::Task<> HarnessProcess::wait(std::chrono::milliseconds limit) {
  if (!waiting_->result && waiting_->broken.empty()) co_await aio::wait_for(deps_.time, waiting_->changed, limit);
}

}  // namespace engine
